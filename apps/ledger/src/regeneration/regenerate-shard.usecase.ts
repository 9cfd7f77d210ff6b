import { setTimeout as sleep } from 'node:timers/promises';
import { Clock, newId, type Context } from '@atelier/kernel';
import { counter, Logger } from '@atelier/observability';
import { InjectConfig, UseCase } from '@atelier/service';
import type { CreditBalance } from '../accounts/account.domain.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { ledgerConfig } from '../ledger.config.js';
import { RegenerateAccount, type RegenerationConfig } from './regenerate-account.usecase.js';
import { RegenerationShardRepository, type Shard } from './regeneration-shard.repository.js';
import { monthsDue, startOf, type Month } from './regeneration.domain.js';

const OPEN_ATTEMPTS_MAX = 10;

const accountsDone = counter(
  'atelier_ledger_regenerated_accounts_total',
  'Accounts that the monthly regeneration has worked on.',
  ['outcome'],
);
const creditsMoved = counter(
  'atelier_ledger_regenerated_credits_total',
  'Credits that the monthly regeneration has granted, and those that it has let expire.',
  ['kind'],
);

export interface ShardReport {
  readonly shard: string;
  readonly accounts: number;
  readonly granted: number;
  readonly expired: number;
  readonly failed: number;
}

/**
 * Works through one shard of a month's sweep: one that was left behind, else the next. Several replicas each have
 * their own; a lease that was lost costs only time, since an account is regenerated once, whoever comes first.
 *
 * Emits: what RegenerateAccount emits, per account.
 */
@UseCase('ledger.regenerate-shard')
export class RegenerateShard {
  private readonly owner = newId('wrk');

  constructor(
    private readonly accounts: AccountRepository,
    private readonly shards: RegenerationShardRepository,
    private readonly regenerateAccount: RegenerateAccount,
    private readonly clock: Clock,
    private readonly log: Logger,
    @InjectConfig(ledgerConfig) private readonly config: RegenerationConfig,
  ) {}

  /** Undefined when no account is due, or all that are stand in shards that others have or that rest. */
  async execute(through: Month, stopping?: AbortSignal): Promise<ShardReport | undefined> {
    if (!(await this.accounts.anyRegeneratedBefore(startOf(through)))) return undefined;
    const shard = await this.lease(through);
    if (!shard) return undefined;
    const report = await this.walk(shard, stopping);
    this.log.info({ ...report }, 'regenerated a shard');
    return report;
  }

  private async lease(month: Month): Promise<Shard | undefined> {
    const now = this.clock.now();
    const abandoned = await this.shards.takeOver(month, this.owner, now, this.leaseEnd());
    if (abandoned) return abandoned;
    for (let attempt = 1; attempt <= OPEN_ATTEMPTS_MAX; attempt++) {
      const last = await this.shards.last(month);
      const number = (last?.number ?? 0) + 1;
      const range = await this.nextRange(month, last?.to ?? '');
      if (!range) return undefined;
      const shard: Shard = {
        _id: `${month}:${String(number).padStart(5, '0')}`,
        ...{ month, number, ...range, cursor: range.from, hasFailures: false },
        ...{ owner: this.owner, leasedUntil: this.leaseEnd(), failures: 0, finishedAt: null, openedAt: now },
      };
      if (await this.shards.open(shard)) return shard;
    }
    return undefined;
  }

  /** Behind the last one; behind all there is one more round, for what became due where shards had been already. */
  private async nextRange(month: Month, end: string): Promise<Pick<Shard, 'from' | 'to'> | undefined> {
    const accounts = this.config.REGENERATION_SHARD_ACCOUNTS;
    const behind = await this.accounts.idBehind(end, accounts);
    if (behind) return { from: end, to: behind };
    const { opened, finished } = await this.shards.progress(month);
    const first = finished === opened ? await this.accounts.idBehind('', accounts) : undefined;
    return first ? { from: '', to: first } : undefined;
  }

  private async walk(shard: Shard, stopping?: AbortSignal): Promise<ShardReport> {
    const { _id, month, to } = shard;
    const context: Context = {
      actor: { kind: 'service', id: 'ledger' },
      correlationId: newId('swp'),
      causationId: `regeneration:${_id}`,
    };
    const total = { shard: _id, accounts: 0, granted: 0, expired: 0, failed: 0 };
    const hasFailures = () => shard.hasFailures || total.failed > 0;
    for (let { cursor } = shard; ;) {
      const batch = await this.accounts.regeneratedBefore(
        startOf(month),
        cursor,
        to,
        this.config.REGENERATION_BATCH_MAX,
      );
      if (batch.length === 0) break;
      for (const group of this.groupsOf(batch, month)) await this.regenerate(group, month, context, total);
      cursor = batch.at(-1)!.id;
      // Given back at once when this replica stops, so that another can go on.
      const leasedUntil = stopping?.aborted ? this.clock.now() : this.leaseEnd();
      const kept = await this.shards.advance(shard, { cursor, hasFailures: hasFailures() }, leasedUntil);
      if (!kept || stopping?.aborted) return total;
      await sleep(this.config.REGENERATION_PAUSE_MS);
    }
    const now = this.clock.now();
    if (hasFailures()) await this.shards.retryLater(shard, now);
    else await this.shards.finish(shard, now);
    return total;
  }

  /** One group is in work at a time, and smaller when its accounts have missed months: people come first. */
  private *groupsOf(batch: readonly CreditBalance[], month: Month): Iterable<readonly CreditBalance[]> {
    const { REGENERATION_CONCURRENCY_MAX: most, REGENERATION_CATCH_UP_MONTHS_MAX: monthsMax } = this.config;
    const months = Math.max(
      ...batch.map(({ lastRegeneratedAt }) => monthsDue(lastRegeneratedAt, month, monthsMax).length),
    );
    const size = Math.max(1, Math.floor(most / months));
    for (let at = 0; at < batch.length; at += size) yield batch.slice(at, at + size);
  }

  /** Side by side, so that they share a transaction. */
  private async regenerate(
    group: readonly CreditBalance[],
    month: Month,
    context: Context,
    total: { -readonly [Key in keyof ShardReport]: ShardReport[Key] },
  ): Promise<void> {
    const one = async ({ id }: CreditBalance): Promise<void> => {
      try {
        const turns = await this.regenerateAccount.execute(id, month, context);
        if (turns.length === 0) return;
        const granted = turns.reduce((sum, turn) => sum + turn.granted, 0);
        const expired = turns.reduce((sum, turn) => sum + turn.expired, 0);
        total.accounts++;
        total.granted += granted;
        total.expired += expired;
        accountsDone.inc({ outcome: 'done' });
        creditsMoved.inc({ kind: 'granted' }, granted);
        creditsMoved.inc({ kind: 'expired' }, expired);
      } catch (err) {
        // One account that cannot be regenerated must not keep the others; the shard comes again for it.
        total.failed++;
        accountsDone.inc({ outcome: 'failed' });
        this.log.error({ err, userId: id }, 'an account could not be regenerated');
      }
    };
    await Promise.all(group.map(one));
  }

  private leaseEnd = (): Date => new Date(this.clock.now().getTime() + this.config.REGENERATION_LEASE_MS);
}
