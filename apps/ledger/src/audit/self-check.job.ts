import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '@atelier/kernel';
import { counter, gauge, Logger } from '@atelier/observability';
import {
  BackgroundLoop,
  HealthRegistry,
  InjectConfig,
  ShutdownSequence,
  type HealthAnswer,
} from '@atelier/service';
import { AccountRepository } from '../accounts/account.repository.js';
import { userAccount, userOf, type UserAccount } from '../journal/entry.domain.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import type { Finding } from './books.domain.js';
import { SelfCheckRepository } from './self-check.repository.js';
import { FINDINGS_MAX, VerifyAccount } from './verify-account.usecase.js';
import { VerifyBooks } from './verify-books.usecase.js';

const SUM = 'platform';
const LOOKS = ['accounts', 'sum'] as const;

const outOfBalance = gauge(
  'atelier_ledger_out_of_balance',
  '1 while something in the books does not add up, else 0. 1 is an alert.',
);
const completedAt = gauge(
  'atelier_ledger_self_check_completed_at_seconds',
  'When a look at some accounts, or at the sum of all, last came to its end, in seconds since 1970. Old is an alert.',
  ['of'],
);
const verifiedAccounts = counter(
  'atelier_ledger_verified_accounts_total',
  'Accounts that the self-check has recomputed from their entries.',
);

/**
 * Verifies the books while the ledger works: some accounts per run, one after the other, round and round, and at
 * longer intervals the sum of all. While something is wrong the ledger is not ready, in every replica, and what was
 * wrong is looked at first in every run: so it turns ready by itself once it is mended.
 */
@Injectable()
export class SelfCheck implements OnApplicationBootstrap {
  private readonly stopping = new AbortController();
  private readonly loop: BackgroundLoop;
  /** Nothing until the findings that are open have been read once: those of other replicas count here too. */
  private answer: HealthAnswer | undefined;

  constructor(
    private readonly accounts: AccountRepository,
    private readonly selfChecks: SelfCheckRepository,
    private readonly verifyAccount: VerifyAccount,
    private readonly verifyBooks: VerifyBooks,
    private readonly clock: Clock,
    private readonly log: Logger,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
    health: HealthRegistry,
    shutdown: ShutdownSequence,
  ) {
    this.loop = new BackgroundLoop('self-check', config.SELF_CHECK_INTERVAL_MS, async () => {
      await this.run();
      return false;
    });
    health.add('books', async () => {
      // Read here as well, so that a read that failed is tried again by the next probe and not a run later.
      if (!this.answer) await this.publish();
      return this.answer!;
    });
    shutdown.add('jobs', 'self-check', () => {
      this.stopping.abort();
      return this.loop.stop();
    });
  }

  onApplicationBootstrap(): void {
    // What never comes to its end is old some time after the start.
    for (const of of LOOKS) completedAt.set({ of }, this.clock.now().getTime() / 1000);
    this.loop.start();
  }

  /** One run. */
  async run(): Promise<void> {
    const known = await this.publish();
    let isComplete = true;
    const check = async (account: string) => {
      if (!(await this.check(account))) isComplete = false;
    };
    for (const account of known) await check(account);
    const cursor = await this.selfChecks.cursor();
    const ids = await this.accounts.idsFrom(cursor, this.config.SELF_CHECK_ACCOUNTS_MAX);
    for (const id of ids) {
      if (this.stopping.signal.aborted) return;
      await check(userAccount(id));
    }
    // A run that finds fewer is at the end, and the next begins again.
    const isLast = ids.length < this.config.SELF_CHECK_ACCOUNTS_MAX;
    await this.selfChecks.moveCursor(isLast ? '' : ids.at(-1)!);
    const now = this.clock.now();
    if (isComplete) completedAt.set({ of: 'accounts' }, now.getTime() / 1000);
    // The sum reads the whole journal: what was found must not wait for it.
    await this.publish();
    const before = new Date(now.getTime() - this.config.SELF_CHECK_SUM_INTERVAL_MS);
    if ((await this.selfChecks.takeSum(now, before)) && (await this.check(SUM)))
      completedAt.set({ of: 'sum' }, now.getTime() / 1000);
    await this.publish();
  }

  /** Answers whether it could be looked at: one that cannot must not keep the others, and is no finding yet. */
  private async check(account: string): Promise<boolean> {
    try {
      const findings =
        account === SUM
          ? await this.verifyBooks.verifySum()
          : await this.verifyAccount.execute(userOf(account as UserAccount), { entries: true });
      if (account !== SUM) verifiedAccounts.inc();
      for (const finding of findings) this.log.error({ ...finding }, 'the books do not add up');
      await this.selfChecks.record(account, findings, this.clock.now());
      return true;
    } catch (err) {
      this.log.error({ err, account }, 'the self-check could not look at an account');
      return false;
    }
  }

  /** Tells what is open, whoever found it. Answers which accounts that are. */
  private async publish(): Promise<string[]> {
    const open = await this.selfChecks.open(FINDINGS_MAX);
    outOfBalance.set(open.length > 0 ? 1 : 0);
    const first: Finding | undefined = open[0]?.findings[0];
    this.answer = first
      ? { up: false, reason: `${open.length} account(s) do not add up: ${first.account}: ${first.problem}` }
      : { up: true };
    return open.map(({ _id }) => _id);
  }
}
