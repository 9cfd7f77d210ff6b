import { Clock, type EventEnvelope } from '@atelier/kernel';
import { aService, aUser, startService, type ServiceUnderTest } from '@atelier/testing';
import { CreditsReleased, CreditsSpent } from '@atelier/contracts/ledger/credits.events';
import { HoldExpiry } from '../holds/hold-expiry.job.js';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { holdFor, jobEnded, paid } from './facts.fixture.js';

/** Promise 5, the ledger's side: whenever the worker of a job dies, its credits come back, and that once. */
const TTL_SECONDS = 60;
const CREDITS = 100;
const COST = 40;
const studio = aService('studio');
let now = new Date();
let ledger: ServiceUnderTest;
beforeAll(async () => {
  const clock = { provide: Clock, useValue: { now: () => now } };
  const env = { HOLD_SWEEP_INTERVAL_MS: '600000', CONSUMER_BACKOFF_BASE_MS: '1' };
  ledger = await startService(LedgerModule, ledgerConfig, env, { overrides: [clock] });
});
afterAll(() => ledger.close());

const sweep = () => ledger.app.get(HoldExpiry, { strict: false }).sweep();
const passTtl = () => (now = new Date(now.getTime() + (TTL_SECONDS + 1) * 1_000));

async function jobUnderWay() {
  const user = aUser();
  await ledger.publish(paid(user.id, CREDITS, now));
  const hold = holdFor('job', user.id, COST, TTL_SECONDS);
  expect((await ledger.as(studio).post('/internal/holds', hold)).status).toBe(201);
  const credits = async () => (await ledger.as(user).get('/api/v1/billing/credits')).body as unknown;
  const told = async (kind: typeof CreditsReleased | typeof CreditsSpent) =>
    (await ledger.facts<{ holdId: string | null; amount: number }>(kind as never))
      .filter(({ data }) => data.holdId === hold.holdId)
      .map(({ data }) => data.amount);
  return { hold, credits, told };
}
const BACK = { settled: CREDITS, held: 0, available: CREDITS };
const PAID = { settled: CREDITS - COST, held: 0, available: CREDITS - COST };

/** Everything that may end a job's hold, in every order. */
const ENDS = ['expiry', 'failure', 'release'] as const;
const orders = ENDS.flatMap((first) =>
  ENDS.filter((end) => end !== first).map((second) => [
    first,
    second,
    ENDS.find((end) => end !== first && end !== second)!,
  ]),
);

describe('the credits of a job', () => {
  it('come back one sweep after the hold has expired, when nobody ever says how the job ended (promise 5)', async () => {
    const { credits, told } = await jobUnderWay();
    await sweep();
    expect(await credits()).toEqual({ settled: CREDITS, held: COST, available: CREDITS - COST });
    passTtl();
    await sweep();
    expect(await credits()).toEqual(BACK);
    expect(await told(CreditsReleased)).toEqual([COST]);
  });

  it.each(orders)('come back once by %s, %s and %s, each of them twice (promise 5)', async (...order) => {
    const { hold, credits, told } = await jobUnderWay();
    const failure: EventEnvelope = jobEnded(hold, 0);
    for (const end of order) {
      if (end === 'expiry') {
        passTtl();
        await sweep();
        await sweep();
      } else if (end === 'failure') await ledger.redeliver(failure);
      else {
        const release = () =>
          ledger.as(studio).post(`/internal/holds/${hold.holdId}/release`, { reason: 'failed' });
        expect([(await release()).status, (await release()).status]).toEqual([200, 200]);
      }
      expect(await credits()).toEqual(BACK);
    }
    expect(await told(CreditsReleased)).toEqual([COST]);
    expect(await told(CreditsSpent)).toEqual([]);
  });

  it('are paid all the same when the job completes after its hold has expired, once (promise 5)', async () => {
    const { hold, credits, told } = await jobUnderWay();
    passTtl();
    await sweep();
    await ledger.redeliver(jobEnded(hold, COST));
    await sweep();
    await ledger.publish(jobEnded(hold, COST));
    expect(await credits()).toEqual(PAID);
    expect(await told(CreditsSpent)).toEqual([COST]);
    expect(await told(CreditsReleased)).toEqual([COST]);
  });

  it('leave the books in balance', async () => {
    expect((await ledger.app.get(VerifyBooks, { strict: false }).execute()).findings).toEqual([]);
  });
});
