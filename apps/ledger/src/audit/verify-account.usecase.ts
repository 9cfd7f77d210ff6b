import type { Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { isUserPosting, userAccount, type EarningsAccount } from '../journal/entry.domain.js';
import { AccountHistory } from './account-history.js';
import {
  areReadable,
  chainOf,
  checkBalance,
  checkEntry,
  checkJournal,
  checkLine,
  follow,
  missingAccount,
  type Finding,
} from './books.domain.js';
import {
  checkEarnings,
  checkEarningsLink,
  earningsChainOf,
  followEarnings,
} from './earnings-books.domain.js';

/** More than this is one disaster, not many. */
export const FINDINGS_MAX = 100;

/**
 * Recomputes a user's accounts, of credits and of earnings, from their chains of entries and compares all that is
 * stored about them. May run while the ledger works. Changes nothing.
 */
@UseCase('ledger.verify-account')
export class VerifyAccount {
  constructor(private readonly history: AccountHistory) {}

  /** With `entries` also each entry for itself; without, where that was done already. */
  async execute(userId: Id<'usr'>, { entries }: { readonly entries: boolean }): Promise<Finding[]> {
    const { balance, earnings, ...stored } = await this.history.head(userId);
    if (!balance) return missingAccount(userAccount(userId), stored.entriesBehind);
    const findings: Finding[] = [];
    let chain = chainOf(userId);
    for await (const place of this.history.places(userId, balance.sequence)) {
      const found = place.entries.flatMap(checkEntry);
      if (entries) findings.push(...found);
      if (!areReadable(found)) return findings;
      findings.push(...checkJournal(chain, place), ...checkLine(chain, place));
      chain = follow(chain, place);
      if (findings.length >= FINDINGS_MAX) return findings.slice(0, FINDINGS_MAX);
    }
    findings.push(...checkBalance(chain, { balance, ...stored }));
    for (const account of earnings) findings.push(...(await this.earningsFindings(account, entries)));
    return findings;
  }

  /** What is wrong with an account of earnings that has no balance. */
  async lostEarnings(account: EarningsAccount): Promise<Finding[]> {
    return missingAccount(account, await this.history.countEarningsEntries(account));
  }

  private async earningsFindings(
    { account, balance, entriesBehind }: StoredEarnings,
    entries: boolean,
  ): Promise<Finding[]> {
    const findings: Finding[] = [];
    let chain = earningsChainOf(account);
    for await (const entry of this.history.earningsEntries(account)) {
      // An entry later than the balance that was read is not looked at yet.
      if (chain.sequence === balance.sequence) break;
      const found = checkEntry(entry);
      if (!areReadable(found)) return [...findings, ...(entries ? found : [])];
      // One that moves credits too stands in the chain above.
      if (entries && !entry.postings.some(isUserPosting)) findings.push(...found);
      findings.push(...checkEarningsLink(chain, entry));
      chain = followEarnings(chain, entry);
    }
    return [...findings, ...checkEarnings(chain, balance, entriesBehind)];
  }
}

type StoredEarnings = Awaited<ReturnType<AccountHistory['head']>>['earnings'][number];
