import { Clock } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { ownerOf, type EarningsBalance } from '../earnings/earnings.domain.js';
import { EarningsRepository } from '../earnings/earnings.repository.js';
import type { EarningsAccount } from '../journal/entry.domain.js';
import { AccountHistory } from './account-history.js';
import { areReadable, checkEntry, missingAccount, type Finding } from './books.domain.js';
import {
  checkEarnings,
  checkEarningsEnd,
  checkEarningsLink,
  earningsChainOf,
  followEarnings,
  type EarningsChain,
} from './earnings-books.domain.js';
import type { Rebuilt } from './rebuild-account.usecase.js';
import { FINDINGS_MAX } from './verify-account.usecase.js';

/**
 * Derives the balance of an account of earnings from its journal again. It may run while the ledger works: balance
 * and chain are of one moment, and when the account has moved by the time it is written all is done anew.
 */
@UseCase('ledger.rebuild-earnings')
export class RebuildEarnings {
  constructor(
    private readonly database: Database,
    private readonly earnings: EarningsRepository,
    private readonly history: AccountHistory,
    private readonly clock: Clock,
  ) {}

  /**
   * Without `apply` nothing is changed.
   *
   * Fails with: platform.transaction.contended.
   */
  async execute(account: EarningsAccount, { apply }: { readonly apply: boolean }): Promise<Rebuilt> {
    // Counted first: what is posted meanwhile makes the chain longer than this, and only damage makes it shorter.
    const entries = await this.history.countEarningsEntries(account);
    return this.database.transaction(async () => {
      const balance = await this.earnings.load(account);
      const { chain, refusals } = await this.followed(account);
      refusals.push(
        ...checkEarningsEnd(chain, entries),
        // What would still be wrong with a balance that says what the journal does.
        ...checkEarnings(chain, chain),
        ...(await this.history.lostEntry(account, balance?.lastEntryId ?? null)),
      );
      const differences = balance ? checkEarnings(chain, balance) : missingAccount(account, chain.sequence);
      const mended = apply && refusals.length === 0 && differences.length > 0;
      if (mended) await this.earnings.mend(this.balanceOf(chain, balance), balance);
      return { differences, refusals, mended };
    });
  }

  private async followed(account: EarningsAccount) {
    const refusals: Finding[] = [];
    let chain = earningsChainOf(account);
    for await (const entry of this.history.earningsEntries(account)) {
      const found = checkEntry(entry);
      refusals.push(...found);
      if (!areReadable(found)) break;
      refusals.push(...checkEarningsLink(chain, entry));
      chain = followEarnings(chain, entry);
      if (refusals.length >= FINDINGS_MAX) break;
    }
    return { chain, refusals };
  }

  private balanceOf(chain: EarningsChain, before: EarningsBalance | undefined): EarningsBalance {
    const { account, settled, sequence, lastEntryId } = chain;
    const now = this.clock.now();
    return {
      ...ownerOf(account),
      ...{ settled, sequence, lastEntryId, version: before?.version ?? 0 },
      updatedAt: before && before.updatedAt > now ? before.updatedAt : now,
    };
  }
}
