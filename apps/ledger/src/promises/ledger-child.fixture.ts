import { Clock, type EventEnvelope } from '@atelier/kernel';
import { startService } from '@atelier/testing';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { HoldExpiry } from '../holds/hold-expiry.job.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { ApprovedPayouts } from '../payouts/approved-payouts.job.js';
import { RegenerateShard } from '../regeneration/regenerate-shard.usecase.js';
import { monthOf } from '../regeneration/regeneration.domain.js';

/** What the parent may ask of the ledger beside HTTP. Each is answered when all of it is done. */
export interface Asks {
  /** The sole message before there is a ledger: a process that waits for it is warm, and starts at once. */
  start(env: Record<string, string>): Promise<string>;
  setTime(iso: string): Promise<void>;
  publish(events: readonly EventEnvelope[]): Promise<void>;
  /** Ends every hold that has expired by the clock. */
  expireHolds(): Promise<void>;
  /** Brings every account its month. */
  regenerate(): Promise<void>;
  /** Pays what is approved. */
  payOut(): Promise<void>;
  findings(): Promise<readonly unknown[]>;
  facts(): Promise<readonly EventEnvelope[]>;
  deadLetters(): Promise<readonly { consumer: string; reason: string }[]>;
}

class SetClock extends Clock {
  time: Date | undefined;
  now(): Date {
    return this.time ?? new Date();
  }
}

const clock = new SetClock();
let ledger: Awaited<ReturnType<typeof startService>>;
const use = <T>(type: abstract new (...args: never[]) => T): T =>
  ledger.app.get(type as never, { strict: false });

const answers: Asks = {
  async start(env) {
    ledger = await startService(LedgerModule, ledgerConfig, env, {
      overrides: [{ provide: Clock, useValue: clock }],
    });
    return ledger.url;
  },
  async setTime(iso) {
    clock.time = new Date(iso);
  },
  publish: (events) => ledger.publish(...events),
  async expireHolds() {
    while (await use(HoldExpiry).sweep());
  },
  async regenerate() {
    while (await use(RegenerateShard).execute(monthOf(clock.now())));
  },
  async payOut() {
    while (await use(ApprovedPayouts).sweep());
  },
  findings: async () => (await use(VerifyBooks).execute()).findings,
  facts: () => ledger.facts(),
  deadLetters: () => ledger.deadLetters(),
};

process.on('message', ({ id, ask, input }: { id: number; ask: keyof Asks; input: never }) => {
  answers[ask](input).then(
    (answer) => process.send!({ id, answer }),
    (error: unknown) => process.send!({ id, error: String(error) }),
  );
});
// The parent is gone: nobody will ask any more.
process.on('disconnect', () => process.exit(0));
