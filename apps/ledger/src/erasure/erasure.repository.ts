import { Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import type { Id } from '@atelier/kernel';
import { currentSession, Database } from '@atelier/persistence';
import { ERASED_REFERENCE, NO_MONTH_DUE } from './erasure.domain.js';

type Row = mongoose.AnyObject & { readonly _id: string };
interface Removal {
  readonly $set?: Readonly<Record<string, unknown>>;
  readonly $unset?: Readonly<Record<string, ''>>;
}

/**
 * Takes what is personal out of the rows of other features, in place and by conditional updates: a row that is
 * clean already stays as it is. Every change takes a version, where the row has one, so that nothing that was loaded
 * before can be saved over it; what is known of people for referrals is written field by field and has none.
 */
@Injectable()
export class ErasureRepository {
  constructor(private readonly database: Database) {}

  async isErased(userId: string): Promise<boolean> {
    const filter = { _id: userId, erasedAt: { $exists: true } };
    return (await this.rows('credit_balances').findOne(filter, { projection: { _id: 1 } })) !== null;
  }

  /** Marks the balance, which must be there, with the time of the first erasure. */
  async markBalance(userId: Id<'usr'>, erasedAt: Date): Promise<void> {
    await this.update(
      'credit_balances',
      { _id: userId, erasedAt: { $exists: false } },
      {
        $set: { erasedAt, lastRegeneratedAt: NO_MONTH_DUE },
      },
    );
  }

  /** Methods whose code may wait to be sent. There are as many as a person may add. */
  async *unverifiedMethodsOf(
    userId: Id<'usr'>,
  ): AsyncIterable<{ readonly id: string; readonly provider: string }> {
    const methods = this.rows('payout_methods').find(
      { userId, status: 'pending' },
      { session: currentSession() },
    );
    for await (const { _id: id, provider } of methods) yield { id, provider: String(provider) };
  }

  /** The methods stay, since payouts name them; nobody can be paid or found by them. */
  async forgetPayoutMethods(userId: Id<'usr'>, now: Date): Promise<void> {
    const gone = { providerAccountId: ERASED_REFERENCE, display: ERASED_REFERENCE, isDefault: false };
    await this.update(
      'payout_methods',
      { userId, status: { $ne: 'disabled' } },
      {
        $set: { status: 'disabled', disabledAt: now },
      },
    );
    await this.update(
      'payout_methods',
      { userId, providerAccountId: { $ne: ERASED_REFERENCE } },
      { $set: gone },
    );
  }

  /** The referrals stay. The person's own code brings nobody any more; those whom it brought are others' rows. */
  async forgetReferralData(userId: Id<'usr'>): Promise<void> {
    await this.update(
      'referrals',
      { refereeId: userId, ipAddressHash: { $exists: true } },
      {
        $unset: { ipAddressHash: '' },
      },
    );
    await this.rows('referral_people').updateOne(
      { _id: userId },
      { $unset: { ownCode: '', ipAddressHash: '' } },
      { session: currentSession() },
    );
  }

  private async update(
    collection: string,
    filter: mongoose.mongo.Filter<Row>,
    removal: Removal,
  ): Promise<void> {
    const session = currentSession();
    await this.rows(collection).updateMany(filter, { ...removal, $inc: { version: 1 } }, { session });
  }

  private rows(collection: string): mongoose.mongo.Collection<Row> {
    return this.database.connection.collection<Row>(collection);
  }
}
