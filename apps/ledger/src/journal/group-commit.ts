import { Injectable } from '@nestjs/common';
import { DomainError, VersionConflict, type Id } from '@atelier/kernel';
import { afterCommit, currentSession, Database, duplicateKeyFields, Outbox } from '@atelier/persistence';
import { AccountTurns } from '../accounts/account-turns.js';
import { AccountRepository } from '../accounts/account.repository.js';
import type { CreditBalance } from '../accounts/account.domain.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import type { Hold } from '../holds/hold.domain.js';
import { HoldRepository } from '../holds/hold.repository.js';
import { EntryRows } from './entry-rows.js';
import { Sheet } from './sheet.js';

/** Works of one transaction. More of them save little, and lose more when one collides with another replica. */
const GROUP_MAX = 32;
/** Groups in work at once: while one waits for the disk, the other is decided. */
const GROUPS_MAX = 2;
/** Works that may wait; more than that is an overload, and who asks is better told so at once. */
const WAITING_MAX = 2_000;
/** How often a single work is done again when another replica was faster. */
const ATTEMPTS_MAX = 5;

/** Something that changes accounts and needs no more of the database than them and its holds. */
export interface Work<Result> {
  /** Every account that it may change. */
  readonly users: readonly Id<'usr'>[];
  readonly holds?: readonly Id<'hld'>[];
  /** Decides on the sheet, and puts what it changes there. Runs again when its transaction does. */
  decide(sheet: Sheet): Result;
}

interface Waiting {
  readonly work: Work<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}
type Outcome = { readonly result: unknown } | { readonly error: unknown };

/**
 * Changes of accounts that are asked for at the same time go to the database in one transaction: one read, one
 * write per collection and one commit for all of them, however many they are. One alone waits for nobody. In the
 * transaction of a consumer there is nobody to wait for either: the work joins it.
 *
 * A balance that this process wrote last is not read again: every write of a balance is guarded by its version, so
 * one that somebody else has changed since is noticed, and the work is done again on what the database has.
 */
@Injectable()
export class GroupCommit {
  private readonly queue: Waiting[] = [];
  private groups = 0;

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly accounts: AccountRepository,
    private readonly turns: AccountTurns,
    private readonly statements: StatementRepository,
    private readonly holds: HoldRepository,
    private readonly entries: EntryRows,
  ) {}

  /** Throws what `decide` throws; a duplicate key of a new hold or of a cause is thrown as the database told it. */
  run<Result>(work: Work<Result>): Promise<Result> {
    if (currentSession()) return this.join(work);
    if (this.queue.length >= WAITING_MAX) return Promise.reject(full());
    return new Promise<Result>((resolve, reject) => {
      this.queue.push({ work, resolve: resolve as (result: unknown) => void, reject });
      // What is asked for in this very moment may still come along.
      queueMicrotask(() => this.pump());
    });
  }

  private async join<Result>(work: Work<Result>): Promise<Result> {
    const sheet = await this.read([work], false);
    const result = work.decide(sheet);
    await this.write(sheet);
    return result;
  }

  private pump(): void {
    while (this.groups < GROUPS_MAX && this.queue.length > 0) {
      const group = this.queue.splice(0, GROUP_MAX);
      this.groups++;
      void this.serve(group).finally(() => {
        this.groups--;
        this.pump();
      });
    }
  }

  private async serve(group: readonly Waiting[]): Promise<void> {
    const again: Waiting[] = [];
    try {
      const outcomes = await this.commit(
        group.map(({ work }) => work),
        true,
      );
      for (const [index, outcome] of outcomes.entries()) {
        const waiting = group[index]!;
        if ('result' in outcome) waiting.resolve(outcome.result);
        // Perhaps it was refused for what was true a while ago.
        else again.push(waiting);
      }
    } catch (error) {
      if (!isOfOne(error)) {
        for (const { reject } of group) reject(error);
        return;
      }
      again.push(...group);
    }
    await Promise.all(again.map((waiting) => this.serveAlone(waiting)));
  }

  private async serveAlone({ work, resolve, reject }: Waiting): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const [outcome] = await this.commit([work], false);
        if ('error' in outcome!) reject(outcome.error);
        else resolve(outcome!.result);
        return;
      } catch (error) {
        if (error instanceof VersionConflict && attempt < ATTEMPTS_MAX) continue;
        reject(error);
        return;
      }
    }
  }

  private commit(works: readonly Work<unknown>[], fromMemory: boolean): Promise<Outcome[]> {
    return this.turns.take(
      works.flatMap(({ users }) => users),
      () =>
        this.database.transaction(async () => {
          const sheet = await this.read(works, fromMemory);
          const outcomes = works.map((work): Outcome => {
            try {
              return { result: sheet.attempt((own) => work.decide(own)) };
            } catch (error) {
              return { error };
            }
          });
          await this.write(sheet);
          return outcomes;
        }),
    );
  }

  private async read(works: readonly Work<unknown>[], fromMemory: boolean): Promise<Sheet> {
    const holdIds = works.flatMap(({ holds = [] }) => holds);
    const users = [...new Set(works.flatMap((work) => work.users))];
    const holds = holdIds.length > 0 ? await this.holds.byIds(holdIds) : [];
    const balances = await this.accounts.ofUsers(users, fromMemory);
    const complete = await this.withHashes(balances);
    return new Sheet(
      new Map(complete.map((balance) => [balance.id, balance])),
      new Map<string, Hold>(holds.map((hold) => [hold.id, hold])),
    );
  }

  /** Accounts from before balances kept the hash of their newest entry. */
  private async withHashes(balances: readonly CreditBalance[]): Promise<readonly CreditBalance[]> {
    const without = balances.flatMap(({ lastEntryId, lastHash }) =>
      lastEntryId && !lastHash ? lastEntryId : [],
    );
    if (without.length === 0) return balances;
    const hashes = await this.entries.hashesOf(without);
    return balances.map((balance) => {
      const { lastEntryId, lastHash } = balance;
      return lastEntryId && !lastHash ? { ...balance, lastHash: hashes.get(lastEntryId) ?? null } : balance;
    });
  }

  private async write(sheet: Sheet): Promise<void> {
    // Holds first: two that end the same one meet here.
    if (sheet.newHolds.length > 0) await this.holds.insert(sheet.newHolds);
    if (sheet.endedHolds.length > 0) await this.holds.end(sheet.endedHolds);
    if (sheet.changes.length > 0) await this.accounts.write(sheet.changes);
    if (sheet.entries.length > 0) await this.entries.insert(sheet.entries);
    if (sheet.lines.length > 0) await this.statements.append(sheet.lines);
    if (sheet.facts.length > 0) await this.outbox.appendAll(sheet.facts, currentSession()!, new Date());
    afterCommit(() => this.accounts.remember(sheet.changes.map(({ after }) => after)));
  }
}

const full = () =>
  new DomainError({
    kind: 'unavailable',
    code: 'ledger.journal.busy',
    detail: 'Too many changes of accounts are waiting. Nothing was changed; try again in a moment.',
    retryAfterSeconds: 1,
  });

/** One of the group is the reason, and the others have done nothing wrong: each goes on alone. */
const isOfOne = (error: unknown): boolean =>
  error instanceof VersionConflict || duplicateKeyFields(error) !== undefined;
