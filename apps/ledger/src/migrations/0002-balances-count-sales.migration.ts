import type { Id } from '@atelier/kernel';
import type { Migration } from '@atelier/persistence';
import {
  countsAfter,
  NOTHING_COUNTED,
  OF_PAYOUTS,
  OF_SALES,
  type Counts,
  type CreditTransaction,
} from '../accounts/account.domain.js';

type Row = Partial<Counts> & { readonly _id: Id<'usr'> };
type Sum = Pick<CreditTransaction, 'userId' | 'type' | 'amount'>;

const TYPES = [...OF_SALES, ...OF_PAYOUTS];
const BATCH_UPDATES = 500;

/**
 * A balance counts what sales brought and payouts took, which was added up from the statement at each question. A row
 * that has `soldCredits` is done.
 *
 * What people sell or are paid through a replica of the version before, which runs beside it, is missing here;
 * `npm run ledger -- rebuild --apply` mends it afterwards.
 */
export const balancesCountSalesMigration: Migration = {
  id: '0002-balances-count-sales',
  async up(connection) {
    const balances = connection.collection<Row>('credit_balances');
    const sums = connection
      .collection<CreditTransaction>('credit_transactions')
      .aggregate<Sum>([
        { $match: { type: { $in: TYPES } } },
        { $group: { _id: { userId: '$userId', type: '$type' }, amount: { $sum: '$amount' } } },
        { $project: { _id: 0, userId: '$_id.userId', type: '$_id.type', amount: 1 } },
      ]);
    const counts = new Map<Id<'usr'>, Counts>();
    for await (const sum of sums)
      counts.set(sum.userId, countsAfter(counts.get(sum.userId) ?? NOTHING_COUNTED, sum));
    const updates = [...counts].map(([_id, { soldCredits, paidOutCredits }]) => ({
      updateOne: {
        filter: { _id, soldCredits: { $exists: false } },
        update: { $set: { soldCredits, paidOutCredits }, $inc: { version: 1 } },
      },
    }));
    for (let from = 0; from < updates.length; from += BATCH_UPDATES)
      await balances.bulkWrite(updates.slice(from, from + BATCH_UPDATES), { ordered: false });
  },
};
