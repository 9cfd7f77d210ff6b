import type { Context, DomainEvent, Id } from '@atelier/kernel';
import { openAccount, type CreditBalance, type CreditTransaction } from '../accounts/account.domain.js';
import type { Hold } from '../holds/hold.domain.js';
import type { Entry } from './entry.domain.js';

/** A fact, and the version of its account after it. */
export interface Stated {
  readonly event: DomainEvent;
  readonly version: number;
  readonly context: Context;
}

/**
 * What a transaction has read, and what it will write: works decide on it one after the other, each on what the
 * one before it left, and then all of it is written at once.
 */
export class Sheet {
  readonly entries: Entry[] = [];
  readonly lines: CreditTransaction[] = [];
  readonly facts: Stated[] = [];
  readonly newHolds: Hold[] = [];
  /** Holds that end: before and after. */
  readonly endedHolds: (readonly [Hold, Hold])[] = [];
  private readonly changed = new Map<Id<'usr'>, CreditBalance>();

  constructor(
    private readonly balances: ReadonlyMap<string, CreditBalance>,
    private readonly holds: ReadonlyMap<string, Hold>,
  ) {}

  /** Lets one work decide on a sheet of its own, of which nothing is taken over when it throws. */
  attempt<Result>(decide: (sheet: Sheet) => Result): Result {
    const own = new Sheet(new Map([...this.balances, ...this.changed]), this.holdsNow());
    const result = decide(own);
    this.entries.push(...own.entries);
    this.lines.push(...own.lines);
    this.facts.push(...own.facts);
    this.newHolds.push(...own.newHolds);
    this.endedHolds.push(...own.endedHolds);
    for (const balance of own.changed.values()) this.put(balance);
    return result;
  }

  /** The user's balance so far; an empty one of version 0 when this is the first that is heard of the user. */
  balance(userId: Id<'usr'>, now: Date): CreditBalance {
    return this.changed.get(userId) ?? this.balances.get(userId) ?? openAccount(userId, now);
  }

  put(balance: CreditBalance): void {
    this.changed.set(balance.id, balance);
  }

  hold(holdId: Id<'hld'>): Hold | undefined {
    return this.holdsNow().get(holdId);
  }

  endHold(before: Hold, after: Hold): void {
    this.endedHolds.push([before, after]);
  }

  /** Each changed balance, and the version that it was read with. */
  get changes(): { readonly after: CreditBalance; readonly versionBefore: number }[] {
    return [...this.changed.values()].map((after) => ({
      after,
      versionBefore: this.balances.get(after.id)?.version ?? 0,
    }));
  }

  private holdsNow(): ReadonlyMap<string, Hold> {
    if (this.endedHolds.length === 0) return this.holds;
    return new Map([...this.holds, ...this.endedHolds.map(([, after]) => [after.id, after] as const)]);
  }
}
