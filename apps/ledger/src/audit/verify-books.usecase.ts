import type { Id } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { AccountRepository } from '../accounts/account.repository.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import { HoldRepository } from '../holds/hold.repository.js';
import { isUserPosting, userOf } from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';
import { checkAccount, checkEntry, missingAccount, type Finding } from './books.domain.js';

/** More than this is one disaster, not many. */
const FINDINGS_MAX = 100;

export interface Report {
  readonly entries: number;
  readonly accounts: number;
  /** The balance of each account of the platform; with all users' together they make 0. */
  readonly platform: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

/**
 * Recomputes every balance, every statement line and every hash from the journal, and names what differs. It may
 * run while the ledger works: each account is read in a snapshot of its own. Changes nothing.
 */
@UseCase('ledger.verify-books')
export class VerifyBooks {
  constructor(
    private readonly database: Database,
    private readonly journal: JournalRepository,
    private readonly accounts: AccountRepository,
    private readonly statements: StatementRepository,
    private readonly holds: HoldRepository,
  ) {}

  async execute(): Promise<Report> {
    const findings: Finding[] = [];
    const platform: Record<string, number> = {};
    const unchecked = new Set<Id<'usr'>>();
    let entries = 0;
    let accounts = 0;
    for await (const entry of this.journal.all()) {
      findings.push(...checkEntry(entry));
      for (const posting of entry.postings) {
        if (isUserPosting(posting)) unchecked.add(userOf(posting.account));
        else platform[posting.account] = (platform[posting.account] ?? 0) + posting.amount;
      }
      entries++;
      if (findings.length >= FINDINGS_MAX) break;
    }
    for await (const { id } of this.accounts.all()) {
      if (findings.length >= FINDINGS_MAX) break;
      findings.push(...(await this.checkAccount(id)));
      unchecked.delete(id);
      accounts++;
    }
    // Opened since the accounts were listed, or lost.
    for (const id of unchecked) {
      if (findings.length >= FINDINGS_MAX) break;
      findings.push(...(await this.checkAccount(id)));
    }
    return { entries, accounts, platform, findings: findings.slice(0, FINDINGS_MAX) };
  }

  private checkAccount(userId: Id<'usr'>): Promise<Finding[]> {
    return this.database.transaction(async () => {
      const balance = await this.accounts.load(userId);
      const entries = await this.journal.ofUser(userId);
      if (!balance) return missingAccount(userId, entries);
      return checkAccount(
        balance,
        entries,
        await this.statements.ofUser(userId),
        await this.holds.heldBy(userId),
      );
    });
  }
}
