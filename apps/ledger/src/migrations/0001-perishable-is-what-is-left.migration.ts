import type mongoose from 'mongoose';
import type { Id } from '@atelier/kernel';
import type { Migration } from '@atelier/persistence';
import { perishableAfter, type CreditBalance, type CreditTransaction } from '../accounts/account.domain.js';

type Row = Omit<CreditBalance, 'id'> & { readonly _id: Id<'usr'>; readonly perishableSince?: number };

/**
 * `perishable` of a balance is what is left of regenerated credits now. It was what there was after the entry
 * `perishableSince`, from which the use since then was subtracted at each turn. A row that has no `perishableSince`
 * is done.
 *
 * A replica of the version before that runs beside it takes all uses ever for uses since: nothing expires too much.
 * What people spend through that one is missing here; `npm run ledger -- rebuild --apply` mends it afterwards.
 */
export const perishableIsWhatIsLeftMigration: Migration = {
  id: '0001-perishable-is-what-is-left',
  async up(connection) {
    const balances = connection.collection<Row>('credit_balances');
    await balances.updateMany({ perishableSince: 0 }, { $unset: { perishableSince: '' } });
    const others = balances.find({ perishableSince: { $exists: true } }, { projection: { _id: 1 } });
    for await (const { _id } of others) await bringUpToDate(connection, _id);
  },
};

/** An account that moves while its statement is read is read again. */
async function bringUpToDate(connection: mongoose.Connection, _id: Row['_id']): Promise<void> {
  const balances = connection.collection<Row>('credit_balances');
  for (;;) {
    const balance = await balances.findOne({ _id });
    if (balance?.perishableSince === undefined) return;
    const perishable = await leftOf(connection, _id);
    const { matchedCount } = await balances.updateOne(
      { _id, version: balance.version },
      { $set: { perishable }, $unset: { perishableSince: '' }, $inc: { version: 1 } },
    );
    if (matchedCount > 0) return;
  }
}

async function leftOf(connection: mongoose.Connection, userId: Row['_id']): Promise<number> {
  const lines = connection
    .collection<CreditTransaction>('credit_transactions')
    .find({ userId }, { projection: { type: 1, amount: 1 } })
    .sort({ sequence: 1 });
  let left = 0;
  for await (const line of lines) left = perishableAfter(left, line);
  return left;
}
