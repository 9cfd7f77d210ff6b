import { AsyncLocalStorage } from 'node:async_hooks';
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
/** Works that may be without an answer; more is an overload, and who asks is better told so at once. */
const UNANSWERED_MAX = 2_000;
/** How often a single work is done again when another replica was faster. */
const ATTEMPTS_MAX = 5;

/** Something that changes accounts and needs no more of the database than them and its holds. */
export interface Work<Result> {
  /** Every account that it may change. */
  readonly users: readonly Id<'usr'>[];
  readonly holds?: readonly Id<'hld'>[];
  /** Also decides to do nothing, which no version guards: so on what the database has, not on what is remembered. */
  readonly afresh?: boolean;
  /** Decides on the sheet, and puts what it changes there; nothing else, since it runs again when its transaction does. */
  decide(sheet: Sheet): Result;
}

interface Waiting {
  readonly work: Work<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}
/** What a work has decided; a refusal is `doubtful` when it stands on a remembered balance. */
type Outcome = { readonly result: unknown } | { readonly error: unknown; readonly doubtful: boolean };

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
  /** A group is nobody's request: in the logs and traces of whoever came first it would be a stranger's work. */
  private readonly asNobody = AsyncLocalStorage.snapshot();
  private groups = 0;
  private unanswered = 0;

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
    if (this.unanswered >= UNANSWERED_MAX) return Promise.reject(full());
    this.unanswered++;
    const answer = new Promise<Result>((resolve, reject) => {
      const own = { ...work, decide: AsyncLocalStorage.bind((sheet: Sheet) => work.decide(sheet)) };
      this.queue.push({ work: own, resolve: resolve as (result: unknown) => void, reject });
      // What is asked for in this very moment may still come along.
      queueMicrotask(() => this.asNobody(() => this.pump()));
    });
    return answer.finally(() => this.unanswered--);
  }

  private async join<Result>(work: Work<Result>): Promise<Result> {
    const sheet = await this.read([work], []);
    const result = work.decide(sheet);
    await this.write(sheet);
    return result;
  }

  private pump(): void {
    while (this.groups < GROUPS_MAX && this.queue.length > 0) {
      const group = this.queue.splice(0, GROUP_MAX);
      this.groups++;
      void this.serve(group, true).then((alone) => {
        // They may take long, and others come first: whoever waits for a locked account waits in no group's place.
        this.groups--;
        this.pump();
        for (const waiting of alone) void this.serveAlone(waiting);
      });
    }
  }

  /** Answers a group, all but those that are to go alone. */
  private async serve(group: readonly Waiting[], fromMemory: boolean): Promise<readonly Waiting[]> {
    const works = group.map(({ work }) => work);
    try {
      const outcomes = await this.commit(works, fromMemory);
      const doubtful = group.filter((waiting, index) => !answer(waiting, outcomes[index]!));
      return doubtful.length > 0 ? await this.serve(doubtful, false) : [];
    } catch (error) {
      if (isOfOne(error)) return group;
      for (const { reject } of group) reject(error);
      return [];
    }
  }

  private async serveAlone(waiting: Waiting): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const [outcome] = await this.commit([waiting.work], false);
        answer(waiting, outcome!);
        return;
      } catch (error) {
        if (error instanceof VersionConflict && attempt < ATTEMPTS_MAX) continue;
        waiting.reject(error);
        return;
      }
    }
  }

  private commit(works: readonly Work<unknown>[], fromMemory: boolean): Promise<Outcome[]> {
    const users = works.flatMap((work) => work.users);
    return this.turns.take(users, () =>
      this.database.transaction(async () => {
        const afresh = new Set(works.flatMap((work) => (work.afresh ? work.users : [])));
        const remembered = fromMemory ? this.accounts.recall(users.filter((id) => !afresh.has(id))) : [];
        const isRemembered = new Set(remembered.map(({ id }) => id));
        const sheet = await this.read(works, remembered);
        const outcomes = works.map((work): Outcome => {
          try {
            return { result: sheet.attempt((own) => work.decide(own)) };
          } catch (error) {
            return { error, doubtful: work.users.some((id) => isRemembered.has(id)) };
          }
        });
        await this.write(sheet);
        return outcomes;
      }),
    );
  }

  private async read(works: readonly Work<unknown>[], remembered: readonly CreditBalance[]): Promise<Sheet> {
    const holdIds = works.flatMap(({ holds = [] }) => holds);
    const known = new Set(remembered.map(({ id }) => id));
    const others = [...new Set(works.flatMap(({ users }) => users))].filter((id) => !known.has(id));
    const holds = holdIds.length > 0 ? await this.holds.byIds(holdIds) : [];
    const read = others.length > 0 ? await this.accounts.ofUsers(others) : [];
    const balances = await this.withHashes([...remembered, ...read]);
    return new Sheet(
      new Map(balances.map((balance) => [balance.id, balance])),
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

/** Answers false, and nobody else, when a refusal is doubtful. */
function answer({ resolve, reject }: Waiting, outcome: Outcome): boolean {
  if ('result' in outcome) resolve(outcome.result);
  else if (outcome.doubtful) return false;
  else reject(outcome.error);
  return true;
}

const OF_ONE_ACCOUNT: readonly string[] = ['platform.transaction.contended', 'ledger.account.busy'];
/** One of the group is the reason, and the others have done nothing wrong: each goes on alone. */
const isOfOne = (error: unknown): boolean =>
  error instanceof VersionConflict ||
  duplicateKeyFields(error) !== undefined ||
  (error instanceof DomainError && OF_ONE_ACCOUNT.includes(error.code));
