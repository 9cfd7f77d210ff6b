import type { Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { EarningsBalance } from '../earnings/earnings.domain.js';
import { earningsAccount, userAccount } from '../journal/entry.domain.js';
import { AccountHistory } from './account-history.js';
import {
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
      if (entries) findings.push(...place.entries.flatMap(checkEntry));
      findings.push(...checkJournal(chain, place), ...checkLine(chain, place));
      chain = follow(chain, place);
      if (findings.length >= FINDINGS_MAX) return findings.slice(0, FINDINGS_MAX);
    }
    findings.push(...checkBalance(chain, { balance, ...stored }));
    for (const account of earnings) findings.push(...(await this.earningsFindings(account)));
    return findings;
  }

  private async earningsFindings(balance: EarningsBalance): Promise<Finding[]> {
    const findings: Finding[] = [];
    let chain = earningsChainOf(earningsAccount(balance.userId, balance.currency));
    for await (const entry of this.history.earningsEntries(chain.account)) {
      // An entry later than the balance that was read is not looked at yet.
      if (chain.sequence === balance.sequence) break;
      findings.push(...checkEarningsLink(chain, entry));
      chain = followEarnings(chain, entry);
    }
    return [...findings, ...checkEarnings(chain, balance)];
  }
}
