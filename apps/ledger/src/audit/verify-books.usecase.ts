import type { Id } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { AccountRepository } from '../accounts/account.repository.js';
import { EarningsRepository } from '../earnings/earnings.repository.js';
import { isEarningsPosting, isUserPosting, userOf } from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';
import { checkEntry, checkSum, type Finding } from './books.domain.js';
import { FINDINGS_MAX, VerifyAccount } from './verify-account.usecase.js';

/** Accounts that one question asks for. */
const ACCOUNTS_ASKED_MAX = 1_000;

export interface Report {
  readonly entries: number;
  readonly accounts: number;
  /** The balance of each account of the platform, and of what it owes in money; with all users' they make 0. */
  readonly platform: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

/**
 * Recomputes every balance, every statement line and every hash from the journal, and names what differs. It may
 * run while the ledger works, and keeps neither all entries nor all accounts in memory. Changes nothing.
 */
@UseCase('ledger.verify-books')
export class VerifyBooks {
  constructor(
    private readonly database: Database,
    private readonly journal: JournalRepository,
    private readonly accounts: AccountRepository,
    private readonly earnings: EarningsRepository,
    private readonly verifyAccount: VerifyAccount,
  ) {}

  async execute(): Promise<Report> {
    const findings: Finding[] = [];
    const platform: Record<string, number> = {};
    const missing = new Set<Id<'usr'>>();
    let named = new Set<Id<'usr'>>();
    let entries = 0;
    let accounts = 0;
    const lookForNamed = async () => {
      for (const id of await this.accounts.missingOf([...named])) missing.add(id);
      named = new Set();
    };
    for await (const entry of this.journal.all()) {
      findings.push(...checkEntry(entry));
      for (const posting of entry.postings) {
        if (isUserPosting(posting)) named.add(userOf(posting.account));
        else {
          const { account, asset, amount } = posting;
          const owner = isEarningsPosting(posting) ? 'earnings' : account;
          const name = asset === 'credits' ? owner : `${owner} ${asset}`;
          platform[name] = (platform[name] ?? 0) + amount;
        }
      }
      entries++;
      if (named.size >= ACCOUNTS_ASKED_MAX) await lookForNamed();
      if (findings.length + missing.size >= FINDINGS_MAX) break;
    }
    await lookForNamed();
    for (const id of missing) findings.push(...(await this.verifyAccount.execute(id, { entries: false })));
    for await (const { id } of this.accounts.all()) {
      if (findings.length >= FINDINGS_MAX) break;
      findings.push(...(await this.verifyAccount.execute(id, { entries: false })));
      accounts++;
    }
    // An account that differs makes the sum differ too: then it says nothing new.
    if (findings.length === 0) findings.push(...(await this.verifySum()));
    return { entries, accounts, platform, findings: findings.slice(0, FINDINGS_MAX) };
  }

  /** Whether all users and the platform make zero in each asset, in one snapshot. Reads all of both. */
  verifySum(): Promise<Finding[]> {
    return this.database.transaction(async () => {
      const platform = await this.journal.platformTotals();
      const users = new Map(await this.earnings.settledOfAll()).set(
        'credits',
        await this.accounts.settledOfAll(),
      );
      const assets = [...new Set([...platform.keys(), ...users.keys()])];
      return assets.flatMap((asset) => checkSum(asset, users.get(asset) ?? 0, platform.get(asset) ?? 0));
    });
  }
}
