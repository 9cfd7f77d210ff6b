import { Module } from '@nestjs/common';
import {
  ListingPublished,
  ListingRejected,
  ListingSubmitted,
  ListingWithdrawn,
} from '@atelier/contracts/commerce/listing.events';
import {
  PaymentDisputed,
  PaymentFailed,
  PaymentRefunded,
  PaymentSucceeded,
} from '@atelier/contracts/commerce/payment.events';
import {
  PurchaseCompleted,
  PurchaseFailed,
  PurchaseRefunded,
} from '@atelier/contracts/commerce/purchase.events';
import { MessagingModule } from '@atelier/messaging';
import { PersistenceModule } from '@atelier/persistence';
import { CreditPackagesModule } from './credit-packages/credit-packages.module.js';
import { ListingsModule } from './listings/listings.module.js';
import { creditPackagesMigration } from './migrations/0001-credit-packages.migration.js';
import { PaymentsModule } from './payments/payments.module.js';
import { PurchasesModule } from './purchases/purchases.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

/** What commerce states, and its features. It reacts to PromptCreated … PromptDeleted and to its own purchases. */
@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'commerce', migrations: [creditPackagesMigration] }),
    MessagingModule.forRoot({
      app: 'commerce',
      publishes: [
        ...[ListingSubmitted, ListingPublished, ListingRejected, ListingWithdrawn],
        ...[PurchaseCompleted, PurchaseFailed, PurchaseRefunded],
        ...[PaymentSucceeded, PaymentFailed, PaymentRefunded, PaymentDisputed],
      ],
    }),
    ListingsModule,
    PurchasesModule,
    CreditPackagesModule,
    PaymentsModule,
    WebhooksModule,
  ],
})
export class CommerceModule {}
