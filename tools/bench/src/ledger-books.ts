import { newId, type Id } from '@atelier/kernel';
import { book, openAccount, type CreditBalance } from '@atelier/ledger/accounts/account.domain';
import {
  CHAIN_START,
  sealEntry,
  userAccount,
  type EntryDraft,
  type UserPosting,
} from '@atelier/ledger/journal/entry.domain';
import { Database } from '@atelier/persistence';
import type { RunningService } from '@atelier/service';

const INSERT_BATCH = 1_000;

/** What moved an account's credits once. */
export interface Movement extends Pick<UserPosting, 'amount' | 'type'> {
  readonly causeId: string;
  readonly sourceId: string;
  readonly others: EntryDraft['postings'];
  readonly at: Date;
}

/** Fills books with rows as posting would have left them, many times as fast. */
export class LedgerBooks {
  private readonly rows = new Map<string, object[]>();
  private waiting = 0;
  private readonly database: Database;

  constructor({ app }: RunningService) {
    this.database = app.get(Database, { strict: false });
  }

  /** Adds an account with these movements, the oldest first. `rest` is what the movements do not tell. */
  async account(
    userId: Id<'usr'>,
    movements: Iterable<Movement>,
    rest: Partial<CreditBalance> = {},
  ): Promise<void> {
    let balance: CreditBalance | undefined;
    for (const { amount, type, others, at, ...draft } of movements) {
      const before = balance ?? openAccount(userId, at);
      const [entryId, account] = [newId('jrn'), userAccount(userId)];
      const link = { account, sequence: before.sequence + 1, previousHash: before.lastHash ?? CHAIN_START };
      const entry = sealEntry(
        { ...draft, postings: [{ account, asset: 'credits', amount, type }, ...others] },
        { id: entryId, links: [link], correlationId: draft.sourceId, createdAt: at },
      );
      balance = { ...book(before, { amount, type }, 0, entryId, at), lastHash: entry.hash };
      const { sequence, settled: balanceAfter } = balance;
      const line = { userId, type, amount, balanceAfter, sourceId: draft.sourceId, entryId, sequence };
      await this.add('journal_entries', entry);
      await this.add('credit_transactions', { id: newId('crt'), ...line, createdAt: at });
    }
    await this.add('credit_balances', { ...(balance ?? openAccount(userId, new Date())), ...rest });
  }

  async add<T extends { readonly id: string }>(collection: string, { id, ...row }: T): Promise<void> {
    const rows = this.rows.get(collection) ?? [];
    rows.push({ _id: id, ...row });
    this.rows.set(collection, rows);
    if (++this.waiting >= INSERT_BATCH) await this.flush();
  }

  /** Inserts what still waits. */
  async flush(): Promise<void> {
    const batches = [...this.rows];
    this.rows.clear();
    this.waiting = 0;
    const { connection } = this.database;
    await Promise.all(batches.map(([name, rows]) => connection.collection(name).insertMany(rows)));
  }
}
