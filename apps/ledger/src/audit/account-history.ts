import { Injectable } from '@nestjs/common';
import type { Id } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { AccountRepository } from '../accounts/account.repository.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import { EarningsRepository } from '../earnings/earnings.repository.js';
import { HoldRepository } from '../holds/hold.repository.js';
import {
  earningsAccount,
  userAccount,
  type ChainLink,
  type EarningsAccount,
  type Entry,
} from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';
import { differs, type Finding, type Place } from './books.domain.js';

/** Places of a chain that are in memory at the same time. */
const PAGE_PLACES = 500;
/** The whole range of a Date. */
const [BEGINNING, END] = [new Date(-8.64e15), new Date(8.64e15)];

/** Reads what is stored about one account: its head in one snapshot, and then its past, a page at a time. */
@Injectable()
export class AccountHistory {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountRepository,
    private readonly journal: JournalRepository,
    private readonly statements: StatementRepository,
    private readonly holds: HoldRepository,
    private readonly earnings: EarningsRepository,
  ) {}

  /** What changes with every entry, read at one moment. Entries before it are never changed, so they can wait. */
  head(userId: Id<'usr'>) {
    return this.database.transaction(async () => {
      const balance = await this.accounts.load(userId);
      const end = balance?.sequence ?? 0;
      return {
        balance,
        earnings: await this.earningsOf(userId),
        heldByHolds: await this.holds.heldBy(userId),
        entriesBehind: await this.journal.countBehind(userAccount(userId), end),
        linesBehind: await this.statements.countBehind(userId, end),
      };
    });
  }

  private async earningsOf(userId: Id<'usr'>) {
    const found = [];
    for (const balance of await this.earnings.ofUser(userId)) {
      const account = earningsAccount(userId, balance.currency);
      const entriesBehind = await this.journal.countBehind(account, balance.sequence);
      found.push({ account, balance, entriesBehind });
    }
    return found;
  }

  /** The entry that a balance ends with, when the journal has lost it. */
  async lostEntry(account: ChainLink['account'], lastEntryId: Entry['id'] | null): Promise<Finding[]> {
    if (lastEntryId === null) return [];
    const [entry] = await this.journal.byIds([lastEntryId]);
    return differs(account, lastEntryId, 'it is lost', lastEntryId, entry?.id ?? 'none');
  }

  /** How many entries name an account of earnings, wherever in its chain they stand. Reads each of them. */
  async countEarningsEntries(account: EarningsAccount): Promise<number> {
    let entries = 0;
    for await (const _ of this.journal.ofAccounts([account], BEGINNING, END)) entries++;
    return entries;
  }

  /** The chain of an account of earnings, from its first entry on; it may end before a gap. */
  async *earningsEntries(account: EarningsAccount): AsyncIterable<Entry> {
    for (let after = 0; ; after += PAGE_PLACES) {
      const entries = await this.journal.ofAccountChain(account, after, after + PAGE_PLACES);
      yield* entries;
      if (entries.length < PAGE_PLACES) return;
    }
  }

  /** The places 1 to `end`. Ends early behind a page with nothing in it: then `end` is wrong, and one is enough. */
  async *places(userId: Id<'usr'>, end: number): AsyncIterable<Place> {
    const account = userAccount(userId);
    const placeOf = ({ links }: Entry) => links.find((link) => link.account === account)!.sequence;
    for (let after = 0; after < end; after += PAGE_PLACES) {
      const to = Math.min(after + PAGE_PLACES, end);
      const entries = Map.groupBy(await this.journal.ofChain(userId, after, to), placeOf);
      const lines = new Map(
        (await this.statements.ofChain(userId, after, to)).map((line) => [line.sequence, line]),
      );
      const isEmpty = entries.size === 0 && lines.size === 0;
      for (let sequence = after + 1; sequence <= (isEmpty ? after + 1 : to); sequence++) {
        yield { sequence, entries: entries.get(sequence) ?? [], line: lines.get(sequence) };
      }
      if (isEmpty) return;
    }
  }
}
