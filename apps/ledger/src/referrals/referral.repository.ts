import { Injectable } from '@nestjs/common';
import { aggregateSchema, Database, Outbox, Repository, type PageRequest } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { REFERRAL_STATUSES, type ReferralsView } from '@atelier/contracts/ledger/referrals.api';
import type { Referral, ReferralStatus } from './referral.domain.js';

const schema = aggregateSchema<Referral>({
  referrerId: { type: String, required: true },
  refereeId: { type: String, required: true },
  code: { type: String, required: true },
  status: { type: String, required: true, enum: REFERRAL_STATUSES },
  invalidReason: { type: String, enum: ['same_address', 'self_referral'] },
  creditsGranted: { type: Number, required: true, min: 0 },
  entryId: { type: String },
  ipAddressHash: { type: String },
  createdAt: { type: Date, required: true },
  completedAt: { type: Date },
})
  .index({ refereeId: 1 }, { unique: true })
  .index({ referrerId: 1, status: 1 })
  .index({ referrerId: 1, createdAt: -1, _id: -1 });

/** Who brought whom. */
@Injectable()
export class ReferralRepository extends Repository<Referral, 'referrerId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'referrals', schema, owner: ['referrerId'] });
  }

  ofReferee(refereeId: Referral['refereeId']): Promise<Referral | undefined> {
    return this.oneAcrossOwners({ refereeId }, 'system');
  }

  list(referrerId: Referral['referrerId'], page: PageRequest<Referral>): Promise<Page<Referral>> {
    return this.page({ referrerId }, page);
  }

  async totals(referrerId: Referral['referrerId']): Promise<ReferralsView['totals']> {
    const groups = await this.model.collection
      .aggregate<{ _id: ReferralStatus; count: number; creditsGranted: number }>([
        { $match: { referrerId } },
        { $group: { _id: '$status', count: { $sum: 1 }, creditsGranted: { $sum: '$creditsGranted' } } },
      ])
      .toArray();
    const totals = { pending: 0, completed: 0, invalid: 0, creditsGranted: 0 };
    for (const { _id: status, count, creditsGranted } of groups) {
      totals[status] = count;
      totals.creditsGranted += creditsGranted;
    }
    return totals;
  }
}
