import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { DomainError } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import type { Amount } from '../payment.domain.js';

export type SandboxStatus = 'open' | 'succeeded' | 'failed' | 'refunded';

/** What the stand-in for a provider remembers of a checkout: its own books, not ours. */
export interface SandboxCheckout {
  readonly _id: string;
  readonly paymentId: string;
  readonly amount: Amount;
  readonly description: string;
  readonly status: SandboxStatus;
  readonly createdAt: Date;
}

const KEPT_SECONDS = 90 * 86_400;

const schema = new mongoose.Schema<SandboxCheckout>(
  {
    _id: { type: String, required: true },
    paymentId: { type: String, required: true },
    amount: { amount: { type: Number, required: true }, currency: { type: String, required: true } },
    description: { type: String, required: true },
    status: { type: String, enum: ['open', 'succeeded', 'failed', 'refunded'], required: true },
    createdAt: { type: Date, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
).index({ createdAt: 1 }, { expireAfterSeconds: KEPT_SECONDS });

@Injectable()
export class SandboxCheckouts {
  private readonly rows: mongoose.Model<SandboxCheckout>;

  constructor(database: Database) {
    this.rows = database.model<SandboxCheckout>('sandbox_checkouts', schema);
  }

  /** Opens a checkout; a payment has one, however often it is asked for. */
  async open(input: Pick<SandboxCheckout, 'paymentId' | 'amount' | 'description'>): Promise<SandboxCheckout> {
    const _id = `sbx_${input.paymentId.slice(input.paymentId.indexOf('_') + 1)}`;
    await this.rows.collection.updateOne(
      { _id: _id as never },
      { $setOnInsert: { ...input, status: 'open', createdAt: new Date() } },
      { upsert: true },
    );
    return this.find(_id);
  }

  /** Throws not found `commerce.sandbox.not_found`. */
  async find(id: string): Promise<SandboxCheckout> {
    const row = await this.rows.collection.findOne({ _id: id as never });
    if (row) return row as unknown as SandboxCheckout;
    throw new DomainError({
      kind: 'not_found',
      code: 'commerce.sandbox.not_found',
      detail: 'The sandbox has no such checkout.',
    });
  }

  /** Moves a checkout on, once; being there already is as good. Throws conflict `commerce.sandbox.settled`. */
  async move(id: string, from: SandboxStatus, to: SandboxStatus): Promise<SandboxCheckout> {
    await this.rows.collection.updateOne({ _id: id as never, status: from }, { $set: { status: to } });
    const checkout = await this.find(id);
    if (checkout.status === to) return checkout;
    throw new DomainError({
      kind: 'conflict',
      code: 'commerce.sandbox.settled',
      detail: `The checkout is ${checkout.status} and cannot become ${to}.`,
    });
  }
}
