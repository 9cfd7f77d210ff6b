import { setTimeout as sleep } from 'node:timers/promises';
import { newId, type Actor, type EventEnvelope, type Id } from '@atelier/kernel';
import { aUser } from '@atelier/testing';
import { SANDBOX_CODE } from '../payouts/providers/sandbox.provider.js';
import type { LedgerProcess, Reply } from '../promises/ledger-process.fixture.js';
import { BONUS_PERCENT, FIXED, type VoucherKind } from './credits-model.fixture.js';

const BILLING = '/api/v1/billing';

/** What the commands of one history act on: a real ledger, and some people of their own. */
export class LedgerSystem {
  readonly told: EventEnvelope[] = [];
  readonly admins = [aUser('admin'), aUser('admin')] as const;
  readonly vouchers: Record<VoucherKind, string> = { fixed: '', bonus: '' };
  /** Set: the next thing that is asked is cut off by SIGKILL so much later, and asked again. */
  killAfterMs: number | undefined;

  constructor(
    readonly ledger: LedgerProcess,
    readonly users: readonly (Actor & { readonly id: Id<'usr'> })[],
  ) {}

  /** Vouchers, and a payout method for everybody: that of the last one is an account that is closed. */
  async prepare(): Promise<void> {
    const kinds = {
      fixed: { type: 'fixed_credits', value: FIXED.value, maxUses: FIXED.maxUses },
      bonus: { type: 'percentage_bonus', value: BONUS_PERCENT },
    } as const;
    for (const kind of ['fixed', 'bonus'] as const) {
      this.vouchers[kind] = newId('t').slice(-20).toUpperCase();
      const body = { code: this.vouchers[kind], ...kinds[kind] };
      expectDone(await this.post(this.admins[0], `${BILLING}/vouchers`, body));
    }
    for (const user of this.users) {
      const name = user === this.users.at(-1) ? 'closed0000' : 'open';
      const account = { type: 'paypal', email: `${name}@example.org` };
      const method = expectDone(await this.post(user, `${BILLING}/payout-methods`, { account }));
      const path = `${BILLING}/payout-methods/${String(method.body.id)}/verify`;
      expectDone(await this.post(user, path, { code: SANDBOX_CODE }));
    }
  }

  /** One request of a client that does not give up: with one key, and again when nobody has answered. */
  post(actor: Actor, path: string, body?: unknown): Promise<Reply> {
    const headers = { 'idempotency-key': newId('t') };
    return this.reliably(() => this.ledger.request(actor, 'POST', path, body, headers));
  }

  async tell(event: EventEnvelope): Promise<void> {
    this.told.push(event);
    await this.reliably(() => this.ledger.ask('publish', [event]));
  }

  /** Answers what the second try answers when the first was cut off: nobody knows how far that one got. */
  async reliably<T>(attempt: () => Promise<T>): Promise<T> {
    const { killAfterMs } = this;
    this.killAfterMs = undefined;
    if (killAfterMs === undefined) return attempt();
    const lost = attempt().catch(() => undefined);
    await sleep(killAfterMs);
    await this.ledger.kill();
    await lost;
    await this.ledger.start();
    await this.ledger.passIdempotencyLease();
    // The broker has no commit for any of it.
    await this.ledger.ask('publish', this.told);
    return attempt();
  }
}

export function expectDone(reply: Reply): Reply {
  if (reply.status >= 300) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`);
  return reply;
}
