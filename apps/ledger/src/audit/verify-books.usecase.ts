import { derivedId } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { AccountRepository } from '../accounts/account.repository.js';
import { EarningsRepository } from '../earnings/earnings.repository.js';
import {
  isEarningsPosting,
  isUserPosting,
  userAccount,
  userOf,
  type EarningsAccount,
  type UserAccount,
} from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';
import { areReadable, checkEntry, checkSum, type Finding } from './books.domain.js';
import { FINDINGS_MAX, VerifyAccount } from './verify-account.usecase.js';

/** Accounts that one question asks for. */
const ACCOUNTS_ASKED_MAX = 1_000;
/** Entries that one read sums up: a part of a second, wherever in the journal. */
const ENTRIES_SUMMED_MAX = 10_000;
/**
 * Ids of this age are closed: no entry comes in between any more. Many times what a transaction lives and clocks
 * differ.
 */
const CLOSED_AFTER_MS = 300_000;
/** More than come in that time: what is not closed is summed in one read. */
const OPEN_ENTRIES_MAX = 10_000_000;
/** Behind every id of an entry. */
const END = 'jrn_~';

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
    const missing = new Set<UserAccount | EarningsAccount>();
    let named = new Set<UserAccount | EarningsAccount>();
    let entries = 0;
    let accounts = 0;
    const lookForNamed = async () => {
      for (const account of await this.missingOf([...named])) missing.add(account);
      named = new Set();
    };
    for await (const entry of this.journal.all()) {
      const found = checkEntry(entry);
      findings.push(...found);
      for (const posting of areReadable(found) ? entry.postings : []) {
        const { account, asset, amount } = posting;
        if (isUserPosting(posting)) named.add(posting.account);
        else {
          if (isEarningsPosting(posting)) named.add(posting.account);
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
    for (const account of missing) findings.push(...(await this.lost(account)));
    for await (const { id } of this.accounts.all()) {
      if (findings.length >= FINDINGS_MAX) break;
      findings.push(...(await this.verifyAccount.execute(id, { entries: false })));
      accounts++;
    }
    // An account that differs makes the sum differ too: then it says nothing new.
    if (findings.length === 0) findings.push(...(await this.verifySum()));
    return { entries, accounts, platform, findings: findings.slice(0, FINDINGS_MAX) };
  }

  private async missingOf(named: readonly (UserAccount | EarningsAccount)[]) {
    const users = named.filter(isOfUser).map(userOf);
    const earnings = named.filter((account): account is EarningsAccount => !isOfUser(account));
    return [
      ...(await this.accounts.missingOf(users)).map(userAccount),
      ...(await this.earnings.missingOf(earnings)),
    ];
  }

  private lost(account: UserAccount | EarningsAccount): Promise<Finding[]> {
    return isOfUser(account)
      ? this.verifyAccount.execute(userOf(account), { entries: false })
      : this.verifyAccount.lostEarnings(account);
  }

  /**
   * Whether all users and the platform make zero in each asset, at one moment. Reads all of both: entries that are
   * closed range by range, and in one snapshot what is newer, with the balances.
   */
  async verifySum(): Promise<Finding[]> {
    const closed = new Map<string, number>();
    const to = derivedId('jrn', 'closed', new Date(Date.now() - CLOSED_AFTER_MS));
    let last = '';
    for (;;) {
      const totals = await this.journal.platformTotals(last, to, ENTRIES_SUMMED_MAX);
      if (!totals.last) break;
      add(closed, totals.amounts);
      last = totals.last;
    }
    return this.database.transaction(async () => {
      const { amounts } = await this.journal.platformTotals(last, END, OPEN_ENTRIES_MAX);
      const platform = add(new Map(closed), amounts);
      const users = new Map(await this.earnings.settledOfAll()).set(
        'credits',
        await this.accounts.settledOfAll(),
      );
      const assets = [...new Set([...platform.keys(), ...users.keys()])];
      return assets.flatMap((asset) => checkSum(asset, users.get(asset) ?? 0, platform.get(asset) ?? 0));
    });
  }
}

const isOfUser = (account: UserAccount | EarningsAccount): account is UserAccount =>
  account.startsWith('user:');

function add(sums: Map<string, number>, more: ReadonlyMap<string, number>): Map<string, number> {
  for (const [asset, amount] of more) sums.set(asset, (sums.get(asset) ?? 0) + amount);
  return sums;
}
