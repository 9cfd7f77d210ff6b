import { Module } from '@nestjs/common';
import { InboxModule } from '../notifications/inbox.module.js';
import { OnJobFinished } from './on-job-finished.consumer.js';
import { OnListingPublished } from './on-listing-published.consumer.js';
import { OnListingRejected } from './on-listing-rejected.consumer.js';
import { OnPaymentFailed } from './on-payment-failed.consumer.js';
import { OnPaymentSucceeded } from './on-payment-succeeded.consumer.js';
import { OnPurchaseCompleted } from './on-purchase-completed.consumer.js';
import { OnPurchaseRefunded } from './on-purchase-refunded.consumer.js';
import { OnUserRegistered } from './on-user-registered.consumer.js';
import { OnUserUpdated } from './on-user-updated.consumer.js';

/** What this service listens to, beside its own deliveries and the view of recipients. */
const CONSUMERS = [
  OnPurchaseCompleted,
  OnPurchaseRefunded,
  OnListingPublished,
  OnListingRejected,
  OnPaymentSucceeded,
  OnPaymentFailed,
  OnJobFinished,
  OnUserRegistered,
  OnUserUpdated,
];

@Module({ imports: [InboxModule], controllers: CONSUMERS })
export class ReactionsModule {}
