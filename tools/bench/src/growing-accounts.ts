import { newId, type Id } from '@atelier/kernel';
import { ReadCredits } from '@atelier/ledger/accounts/read-credits.usecase';
import { ReadStatement } from '@atelier/ledger/accounts/read-statement.usecase';
import type { RunningService } from '@atelier/service';
import { LedgerBooks, type Movement } from './ledger-books.js';
import { contextOf, type Queries, type Writes } from './ledger-stage.js';

const ENTRIES_PER_ACCOUNT = 100;
const PAGE_LIMIT = 20;

/** Books of so many entries, a hundred per account, and what their owners ask and do most. */
export async function growAccounts(
  ledger: RunningService,
  writes: Writes,
  entries: number,
): Promise<Queries> {
  const books = new LedgerBooks(ledger);
  const accounts = Array.from({ length: entries / ENTRIES_PER_ACCOUNT }, () => newId('usr'));
  for (const account of accounts) await books.account(account, purchases());
  await books.flush();
  const pick = (): Id<'usr'> => accounts[Math.floor(Math.random() * accounts.length)]!;
  const credits = ledger.app.get(ReadCredits, { strict: false });
  const statement = ledger.app.get(ReadStatement, { strict: false });
  return {
    'read a balance': () => credits.execute(contextOf(pick())),
    'read a statement page': () => statement.execute({ limit: PAGE_LIMIT }, contextOf(pick())),
    'place a hold': () => writes.hold(pick()),
    'post an entry': () => writes.spend(pick()),
  };
}

function* purchases(): Iterable<Movement> {
  const amount = 1_000;
  for (let left = ENTRIES_PER_ACCOUNT; left > 0; left--) {
    const paymentId = newId('pay');
    yield {
      ...{ amount, type: 'earn_purchase', causeId: paymentId, sourceId: paymentId },
      others: [{ account: 'platform:clearing', asset: 'credits', amount: -amount }],
      at: new Date(Date.now() - 1_000 * left),
    };
  }
}
