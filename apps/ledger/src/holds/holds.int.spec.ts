import { Clock, exampleEnvelope, newId, type Id } from '@atelier/kernel';
import { aService, aUser, eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseCompleted, PurchaseFailed } from '@atelier/contracts/commerce/purchase.events';
import { CreditsReleased, CreditsSpent } from '@atelier/contracts/ledger/credits.events';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';

const studio = aService('studio');
/** How far the ledger's time is ahead: holds that are to stand have long enough, and nobody waits for the others. */
let aheadMs = 0;
let ledger: ServiceUnderTest;
beforeAll(async () => {
  const clock = { provide: Clock, useValue: { now: () => new Date(Date.now() + aheadMs) } };
  const env = { HOLD_SWEEP_INTERVAL_MS: '50' };
  ledger = await startService(LedgerModule, ledgerConfig, env, { overrides: [clock] });
});
afterAll(() => ledger.close());
afterEach(async () => {
  expect((await ledger.app.get(VerifyBooks, { strict: false }).execute()).findings).toEqual([]);
});

async function userWith(credits: number) {
  const user = aUser();
  const payment = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId: user.id, credits };
  await ledger.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
  return user;
}
const creditsOf = async (user: ReturnType<typeof aUser>) =>
  (await ledger.as(user).get('/api/v1/billing/credits')).body as unknown;
const holdOf = (userId: Id<'usr'>, amount: number, more: object = {}) => ({
  holdId: newId('hld'),
  userId,
  amount,
  type: 'spend_enhancement',
  sourceId: newId('job'),
  ...more,
});
const place = (hold: object) => ledger.as(studio).post('/internal/holds', hold);
const statusOf = async (holdId: string) =>
  (await ledger.as(studio).get(`/internal/holds/${holdId}`)).body as {
    status: string;
    capturedAmount: number;
  };
const finished = (
  hold: ReturnType<typeof holdOf>,
  outcome: 'completed' | 'failed',
  chargedCredits: number,
) => {
  const { userId, holdId, sourceId } = hold;
  const jobId = sourceId;
  const data = {
    ...JobFinished.example,
    jobId,
    userId,
    holdId,
    outcome,
    chargedCredits,
    costCredits: hold.amount,
  };
  return exampleEnvelope(JobFinished, data, { subject: jobId });
};

describe('placing a hold', () => {
  it('sets credits aside, and answers the same hold to a repeat', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 100);
    const first = await place(hold);
    const repeat = await place(hold);
    expect([first.status, repeat.status]).toEqual([201, 201]);
    expect(repeat.body).toEqual(first.body);
    expect(await creditsOf(user)).toEqual({ settled: 100, held: 100, available: 0 });
  });

  it('answers 402 with what is there and what is needed, and changes nothing (R236)', async () => {
    const user = await userWith(5);
    await place(holdOf(user.id, 3));
    const { status, body } = await place(holdOf(user.id, 3));
    expect(status).toBe(402);
    expect(body).toMatchObject({ code: 'ledger.credits.insufficient', available: 2, held: 3, required: 3 });
    expect(await creditsOf(user)).toEqual({ settled: 5, held: 3, available: 2 });
  });

  it('answers 402 to a user whom the ledger has not heard of yet', async () => {
    expect((await place(holdOf(newId('usr'), 1))).body).toMatchObject({ available: 0, held: 0, required: 1 });
  });

  it.each([{ amount: 11 }, { type: 'spend_marketplace' }, { sourceId: 'job_2' }])(
    'refuses the id of another hold: %j',
    async (other) => {
      const user = await userWith(100);
      const hold = holdOf(user.id, 10);
      await place(hold);
      expect(await place({ ...hold, ...other })).toMatchObject({
        status: 409,
        body: { code: 'ledger.hold.id_taken' },
      });
    },
  );

  it('answers the hold as it is to a repeat that asks for another time', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10, { ttlSeconds: 60 });
    const first = await place(hold);
    expect(await place({ ...hold, ttlSeconds: 600 })).toMatchObject({ status: 201, body: first.body });
  });

  it.each([
    { amount: 0 },
    { amount: -5 },
    { amount: 0.5 },
    { amount: 1e12 },
    { amount: '5' },
    { userId: 'me' },
    { extra: 1 },
  ])('refuses %j', async (wrong) => {
    const user = aUser();
    expect((await place(holdOf(user.id, 1, wrong))).status).toBe(400);
  });

  it('is for services only', async () => {
    const user = await userWith(100);
    expect((await ledger.as(user).post('/internal/holds', holdOf(user.id, 1))).status).toBe(403);
  });
});

describe('ending a hold', () => {
  it('captures a finished job once, however often it is told', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10);
    await place(hold);
    await ledger.redeliver(finished(hold, 'completed', 10));
    await ledger.publish(finished(hold, 'completed', 10));
    expect(await creditsOf(user)).toEqual({ settled: 90, held: 0, available: 90 });
    expect(await statusOf(hold.holdId)).toMatchObject({ status: 'captured', capturedAmount: 10 });
  });

  it('gives back what a capture in part leaves over', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10);
    await place(hold);
    await ledger.redeliver(finished(hold, 'completed', 4));
    expect(await creditsOf(user)).toEqual({ settled: 96, held: 0, available: 96 });
    const facts = (await ledger.facts(CreditsReleased)).filter(({ data }) => data.holdId === hold.holdId);
    expect(facts.map(({ data }) => [data.amount, data.reason])).toEqual([[6, 'partly_captured']]);
  });

  it('gives everything back for a failed job, once', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10);
    await place(hold);
    await ledger.redeliver(finished(hold, 'failed', 0));
    expect(await creditsOf(user)).toEqual({ settled: 100, held: 0, available: 100 });
    expect(await statusOf(hold.holdId)).toMatchObject({ status: 'released' });
  });

  it('gives everything back for a failed purchase, once', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10, { type: 'spend_marketplace', sourceId: newId('pur') });
    await place(hold);
    const data = { ...PurchaseFailed.example, purchaseId: hold.sourceId as Id<'pur'>, holdId: hold.holdId };
    await ledger.redeliver(exampleEnvelope(PurchaseFailed, data, { subject: hold.sourceId }));
    expect(await creditsOf(user)).toEqual({ settled: 100, held: 0, available: 100 });
  });

  it('has nothing to give back for what was given up before its hold was placed', async () => {
    const user = await userWith(100);
    await ledger.redeliver(finished(holdOf(user.id, 10), 'failed', 0));
    expect(await creditsOf(user)).toEqual({ settled: 100, held: 0, available: 100 });
    expect(await ledger.deadLetters()).toEqual([]);
  });

  it('releases on request, and answers a repeat with the state', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10);
    await place(hold);
    const release = () =>
      ledger.as(studio).post(`/internal/holds/${hold.holdId}/release`, { reason: 'canceled' });
    expect(await release()).toMatchObject({ status: 200, body: { status: 'released' } });
    expect(await release()).toMatchObject({ status: 200, body: { status: 'released' } });
    expect(await creditsOf(user)).toEqual({ settled: 100, held: 0, available: 100 });
    const unknown = await ledger
      .as(studio)
      .post(`/internal/holds/${newId('hld')}/release`, { reason: 'canceled' });
    expect(unknown.status).toBe(404);
  });

  it('takes no more than was held: such a fact becomes a dead letter', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10);
    await place(hold);
    await ledger.publish(finished(hold, 'completed', 11));
    expect(await creditsOf(user)).toEqual({ settled: 100, held: 10, available: 90 });
    expect((await ledger.deadLetters()).some(({ reason }) => reason.includes(hold.holdId))).toBe(true);
  });

  it('expires by itself; a capture that comes later still stands, and is marked as late', async () => {
    const user = await userWith(10);
    const hold = holdOf(user.id, 10, { ttlSeconds: 60, type: 'spend_marketplace', sourceId: newId('pur') });
    await place(hold);
    aheadMs += 60_000;
    await eventually(async () => expect(await statusOf(hold.holdId)).toMatchObject({ status: 'expired' }));
    expect(await creditsOf(user)).toEqual({ settled: 10, held: 0, available: 10 });
    const { holdId } = hold;
    const purchaseId = hold.sourceId as Id<'pur'>;
    const parts = { priceCredits: 10, platformFeeCredits: 2, sellerEarningsCredits: 8 };
    const data = {
      ...PurchaseCompleted.example,
      ...parts,
      purchaseId,
      holdId,
      buyerId: user.id,
      sellerId: newId('usr'),
    };
    await ledger.redeliver(exampleEnvelope(PurchaseCompleted, data, { subject: purchaseId }));
    expect(await creditsOf(user)).toEqual({ settled: 0, held: 0, available: 0 });
    const spent = (await ledger.facts(CreditsSpent)).filter((fact) => fact.data.holdId === holdId);
    expect(spent.map((fact) => [fact.data.amount, fact.data.late])).toEqual([[10, true]]);
  });
});

describe('the sweep of expired holds', () => {
  it('gets past a whole batch of holds that cannot be ended, and comes back to them', async () => {
    const sweeper = await startService(LedgerModule, ledgerConfig, {
      ...{ HOLD_SWEEP_INTERVAL_MS: '50', HOLD_SWEEP_BATCH_MAX: '2', SELF_CHECK_INTERVAL_MS: '86400000' },
    });
    const holds = sweeper.database.connection.collection('credit_holds');
    const balances = sweeper.database.connection.collection('credit_balances');
    const [broken, sound] = [aUser(), aUser()];
    const put = async (user: typeof broken) => {
      const payment = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId: user.id, credits: 9 };
      await sweeper.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
      const place = () => sweeper.as(studio).post('/internal/holds', holdOf(user.id, 1, { ttlSeconds: 600 }));
      return Promise.all([place(), place(), place()]);
    };
    try {
      await put(broken);
      await put(sound);
      const shift = (held: number) =>
        balances.updateOne({ _id: broken.id as never }, { $inc: { held, available: -held, version: 1 } });
      await shift(-3);
      await holds.updateMany({ userId: broken.id }, { $set: { expiresAt: new Date(1) } });
      await holds.updateMany({ userId: sound.id }, { $set: { expiresAt: new Date(2) } });
      const expired = (user: typeof broken) => holds.countDocuments({ userId: user.id, status: 'expired' });
      await eventually(async () => expect(await expired(sound)).toBe(3));
      expect(await expired(broken)).toBe(0);
      await shift(3);
      await eventually(async () => expect(await expired(broken)).toBe(3));
    } finally {
      await sweeper.close();
    }
  });
});

describe('extending a hold', () => {
  const extend = (holdId: string, expiresAt: string) =>
    ledger.as(studio).post(`/internal/holds/${holdId}/extend`, { expiresAt });
  const inSeconds = (seconds: number) => new Date(Date.now() + aheadMs + seconds * 1000).toISOString();

  it('keeps it from its expiry; an earlier time and a repeat change nothing', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10, { ttlSeconds: 60 });
    await place(hold);
    const later = inSeconds(600);
    expect(await extend(hold.holdId, later)).toMatchObject({
      status: 200,
      body: { status: 'held', expiresAt: later },
    });
    expect((await extend(hold.holdId, later)).body).toMatchObject({ expiresAt: later });
    expect((await extend(hold.holdId, inSeconds(60))).body).toMatchObject({ expiresAt: later });
    const other = holdOf(user.id, 10, { ttlSeconds: 60 });
    await place(other);
    aheadMs += 60_000;
    await eventually(async () => expect(await statusOf(other.holdId)).toMatchObject({ status: 'expired' }));
    expect(await statusOf(hold.holdId)).toMatchObject({ status: 'held' });
    expect(await creditsOf(user)).toEqual({ settled: 100, held: 10, available: 90 });
  });

  it('is cut to what any hold may stand', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10);
    await place(hold);
    const { expiresAt } = (await extend(hold.holdId, inSeconds(999_999))).body as { expiresAt: string };
    expect(new Date(expiresAt).getTime()).toBeLessThanOrEqual(Date.now() + aheadMs + 86_400_000);
  });

  it('is refused for one that ended, one that is not there, and people', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10);
    await place(hold);
    const path = `/internal/holds/${hold.holdId}/extend`;
    expect((await ledger.as(user).post(path, { expiresAt: inSeconds(600) })).status).toBe(403);
    await ledger.as(studio).post(`/internal/holds/${hold.holdId}/release`, { reason: 'canceled' });
    expect(await extend(hold.holdId, inSeconds(600))).toMatchObject({
      status: 409,
      body: { code: 'ledger.hold.ended' },
    });
    expect((await extend(newId('hld'), inSeconds(600))).status).toBe(404);
    expect((await extend(hold.holdId, 'tomorrow')).status).toBe(400);
  });

  it('and ending it at the same time leave it ended once, or extended', async () => {
    const user = await userWith(100);
    const hold = holdOf(user.id, 10);
    await place(hold);
    const release = ledger.as(studio).post(`/internal/holds/${hold.holdId}/release`, { reason: 'failed' });
    const extensions = [600, 1_200, 1_800].map((seconds) => extend(hold.holdId, inSeconds(seconds + 900)));
    const statuses = (await Promise.all([release, ...extensions])).map(({ status }) => status);
    expect(statuses[0]).toBe(200);
    expect(statuses.slice(1).filter((status) => ![200, 409].includes(status))).toEqual([]);
    expect(await statusOf(hold.holdId)).toMatchObject({ status: 'released' });
    expect(await creditsOf(user)).toEqual({ settled: 100, held: 0, available: 100 });
  });
});

describe("one's own open holds", () => {
  it('are listed newest first, in pages, and nobody sees those of others', async () => {
    const user = await userWith(100);
    const holds = [holdOf(user.id, 1), holdOf(user.id, 2), holdOf(user.id, 3), holdOf(user.id, 4)];
    for (const hold of holds) await place(hold);
    await ledger.as(studio).post(`/internal/holds/${holds[3]!.holdId}/release`, { reason: 'failed' });
    const first = await ledger.as(user).get('/api/v1/billing/holds?limit=2');
    const second = await ledger
      .as(user)
      .get(`/api/v1/billing/holds?limit=2&cursor=${String(first.body.nextCursor)}`);
    const told = [...first.body.items, ...second.body.items] as { holdId: string; amount: number }[];
    expect(told.map(({ amount }) => amount)).toEqual([3, 2, 1]);
    expect(told[0]).toMatchObject({
      holdId: holds[2]!.holdId,
      type: 'spend_enhancement',
      sourceId: holds[2]!.sourceId,
    });
    expect(second.body.nextCursor).toBeNull();
    expect((await ledger.as(aUser()).get('/api/v1/billing/holds')).body).toEqual({
      items: [],
      nextCursor: null,
    });
    expect((await ledger.as(studio).get('/api/v1/billing/holds')).status).toBe(403);
    expect((await ledger.as(user).get('/api/v1/billing/holds?cursor=x')).status).toBe(400);
  });
});
