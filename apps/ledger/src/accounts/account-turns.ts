import { Injectable } from '@nestjs/common';
import { DomainError, type Id } from '@atelier/kernel';
import { currentSession } from '@atelier/persistence';

/** Requests of one account that may wait for each other; more than that is an attack or a loop. */
const WAITING_MAX = 1_000;

/** An account, or a voucher that many people use at once. */
type Contended = Id<'usr' | 'vch'>;

interface Queue {
  last: Promise<void>;
  length: number;
}

/**
 * Transactions of this process that touch one account go one after the other. The database would keep the books
 * right without it, but by letting one through and sending the others back: under a burst on one account they
 * would run out of tries. Other replicas are still sent back, one at a time. A consumer's transaction is open
 * before its accounts are known, so it does not queue: it would keep its place in the database while it waits.
 */
@Injectable()
export class AccountTurns {
  private readonly queues = new Map<Contended, Queue>();

  /** Throws unavailable `ledger.account.busy` when too many wait already. */
  async take<T>(contended: readonly Contended[], work: () => Promise<T>): Promise<T> {
    if (currentSession()) return work();
    const ids = [...new Set(contended)];
    if (ids.some((id) => (this.queues.get(id)?.length ?? 0) >= WAITING_MAX)) throw busy();
    let done: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (done = resolve));
    // Lined up for all accounts in one step: so nobody waits for somebody who waits for them.
    const before = ids.map((id) => {
      const queue = this.queues.get(id) ?? { last: Promise.resolve(), length: 0 };
      const { last } = queue;
      this.queues.set(id, { last: mine, length: queue.length + 1 });
      return last;
    });
    try {
      await Promise.all(before);
      return await work();
    } finally {
      done();
      for (const id of ids) {
        const queue = this.queues.get(id)!;
        if (queue.length === 1) this.queues.delete(id);
        else queue.length--;
      }
    }
  }
}

const busy = () =>
  new DomainError({
    kind: 'unavailable',
    code: 'ledger.account.busy',
    detail: 'Too many changes of this account are waiting. Nothing was changed; try again in a moment.',
    retryAfterSeconds: 1,
  });
