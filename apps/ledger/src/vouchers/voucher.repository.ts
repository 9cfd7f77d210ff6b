import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import {
  aggregateSchema,
  currentSession,
  Database,
  fromDocument,
  Outbox,
  Repository,
} from '@atelier/persistence';
import type { PageRequest, Stored } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { VOUCHER_STATUSES, VOUCHER_TYPES } from '@atelier/contracts/ledger/vouchers.api';
import { voucherCodeTaken, type Voucher, type VoucherStatus } from './voucher.domain.js';

const schema = aggregateSchema<Voucher>({
  code: { type: String, required: true, uppercase: true, trim: true },
  type: { type: String, required: true, enum: VOUCHER_TYPES },
  value: { type: Number, required: true, min: 1 },
  maxUses: { type: Number, min: 1 },
  currentUses: { type: Number, required: true, min: 0 },
  expiresAt: { type: Date },
  status: { type: String, required: true, enum: VOUCHER_STATUSES },
  metadata: { type: mongoose.Schema.Types.Mixed, required: true },
  createdById: { type: String, required: true },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
})
  .index({ code: 1 }, { unique: true })
  .index({ status: 1, expiresAt: 1 })
  .index({ createdAt: -1, _id: -1 })
  .index({ status: 1, createdAt: -1, _id: -1 });

/** The vouchers. Nobody owns one: admins make them, and whoever knows the code may use it. */
@Injectable()
export class VoucherRepository extends Repository<Voucher, never> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: 'vouchers',
      schema,
      owner: [],
      onDuplicate: ({ code }) => voucherCodeTaken(code),
    });
  }

  /** The code must be upper-cased and trimmed already. */
  byCode(code: string): Promise<Voucher | undefined> {
    return this.oneAcrossOwners({ code }, 'system');
  }

  list(status: VoucherStatus | undefined, page: PageRequest<Voucher>): Promise<Page<Voucher>> {
    return this.pageAcrossOwners(status ? { status } : {}, page, 'moderation');
  }

  /**
   * Takes one use in the caller's transaction, if there is one left; else changes nothing and answers undefined.
   * One conditional write: an active voucher has a use left, and the last one depletes it (R472, R474). Not by
   * `save`: people who use one voucher at the same time must not refuse each other.
   */
  async takeUse(id: Voucher['id'], now: Date): Promise<Voucher | undefined> {
    const lastUse = { $eq: [{ $add: ['$currentUses', 1] }, '$maxUses'] };
    const row = await this.rows.findOneAndUpdate(
      {
        _id: id,
        status: 'active',
        $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }],
      },
      [
        {
          $set: {
            status: { $cond: [lastUse, 'depleted', '$status'] },
            currentUses: { $add: ['$currentUses', 1] },
            version: { $add: ['$version', 1] },
            updatedAt: now,
          },
        },
      ],
      { returnDocument: 'after', session: currentSession() },
    );
    return row ? fromDocument<Voucher>(row) : undefined;
  }

  /** Writes down that the time of some vouchers is over. Answers how many; at most the limit. */
  async expire(now: Date, limit: number): Promise<number> {
    const over = { status: 'active', expiresAt: { $lte: now } } as const;
    const ids = await this.rows
      .find(over, { projection: { _id: 1 } })
      .limit(limit)
      .toArray();
    const { modifiedCount } = await this.rows.updateMany(
      { _id: { $in: ids.map(({ _id }) => _id) }, ...over },
      { $set: { status: 'expired', updatedAt: now }, $inc: { version: 1 } },
    );
    return modifiedCount;
  }

  private get rows(): mongoose.mongo.Collection<Stored<Voucher>> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Stored<Voucher>>;
  }
}
