import { Injectable } from '@nestjs/common';
import { aggregateSchema, Database, Outbox, Repository, type PageRequest } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { REDEMPTION_STATUSES, VOUCHER_TYPES } from '@atelier/contracts/ledger/vouchers.api';
import { alreadyRedeemed, type Redemption } from './redemption.domain.js';

const schema = aggregateSchema<Redemption>({
  voucherId: { type: String, required: true },
  userId: { type: String, required: true },
  code: { type: String, required: true },
  type: { type: String, required: true, enum: VOUCHER_TYPES },
  value: { type: Number, required: true, min: 1 },
  status: { type: String, required: true, enum: REDEMPTION_STATUSES },
  creditsGranted: { type: Number, required: true, min: 0 },
  entryId: { type: String },
  paymentId: { type: String },
  redeemedAt: { type: Date, required: true },
  grantedAt: { type: Date },
})
  .index({ voucherId: 1, userId: 1 }, { unique: true })
  .index({ paymentId: 1 }, { unique: true, sparse: true })
  .index({ userId: 1, redeemedAt: -1, _id: -1 })
  .index({ userId: 1, status: 1, redeemedAt: 1, _id: 1 });

/** Who used which voucher, and what it gave: written once, and a pending one finished once (R480). */
@Injectable()
export class RedemptionRepository extends Repository<Redemption, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: 'voucher_redemptions',
      schema,
      owner: ['userId'],
      onDuplicate: ({ code }) => alreadyRedeemed(code),
    });
  }

  ofVoucher(voucherId: string, userId: string): Promise<Redemption | undefined> {
    return this.one({ voucherId, userId });
  }

  ofPayment(paymentId: string, userId: string): Promise<Redemption | undefined> {
    return this.one({ paymentId, userId });
  }

  list(userId: string, { limit, cursor }: PageRequest<Redemption>): Promise<Page<Redemption>> {
    return this.page({ userId }, { limit, cursor, sort: { by: 'redeemedAt', direction: -1 } });
  }

  /** The oldest bonus that waited at that time. */
  async oldestPending(userId: string, at: Date): Promise<Redemption | undefined> {
    const { items } = await this.page(
      { userId, status: 'pending', redeemedAt: { $lte: at } },
      { limit: 1, sort: { by: 'redeemedAt', direction: 1 } },
    );
    return items[0];
  }
}
