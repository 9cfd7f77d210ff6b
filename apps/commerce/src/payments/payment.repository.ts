import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { PAYMENT_STATUSES } from '@atelier/contracts/commerce/payments.api';
import { PAYMENT_PROVIDERS, PAYMENT_PURPOSES } from '@atelier/contracts/commerce/payment.events';
import type { Id } from '@atelier/kernel';
import { aggregateSchema, Database, Outbox, Repository, type PageRequest } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { embedded, originSchema } from '../origin-document.js';
import type { Payment } from './payment.domain.js';

/** The last block belongs to features that are not built yet; of a card only brand and last four are kept (R196). */
const schema = aggregateSchema<
  Payment &
    Record<'email' | 'paymentMethod' | 'brand' | 'last4', unknown> &
    Record<'agentId' | 'orderId' | 'subscriptionId' | 'invoiceId' | 'metadata', unknown>
>({
  userId: { type: String, required: true },
  purpose: { type: String, enum: PAYMENT_PURPOSES, required: true },
  amount: {
    type: embedded({
      amount: { type: Number, required: true, min: 1 },
      currency: { type: String, required: true },
    }),
    required: true,
  },
  provider: { type: String, enum: PAYMENT_PROVIDERS, required: true },
  providerPaymentId: { type: String },
  checkoutUrl: { type: String },
  status: { type: String, enum: PAYMENT_STATUSES, required: true },
  creditPackageId: { type: String },
  credits: { type: Number, min: 0 },
  failureReason: { type: String },
  succeededAt: { type: Date },
  failedAt: { type: Date },
  refundedAt: { type: Date },
  disputedAt: { type: Date },
  origin: { type: originSchema },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
  email: { type: String },
  paymentMethod: { type: String },
  brand: { type: String },
  last4: { type: String },
  agentId: { type: String },
  orderId: { type: String },
  subscriptionId: { type: String },
  invoiceId: { type: String },
  metadata: { type: mongoose.Schema.Types.Mixed },
})
  .index(
    { provider: 1, providerPaymentId: 1 },
    { unique: true, partialFilterExpression: { providerPaymentId: { $exists: true } } },
  )
  .index({ userId: 1, createdAt: 1, _id: 1 });

@Injectable()
export class PaymentRepository extends Repository<Payment, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'payments', schema, owner: ['userId'] });
  }

  ofUser(userId: Id<'usr'>, page: PageRequest<Payment>): Promise<Page<Payment>> {
    return this.page({ userId }, page);
  }
}
