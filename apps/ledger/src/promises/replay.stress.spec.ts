import { setTimeout as sleep } from 'node:timers/promises';
import { Clock, newId, type EventEnvelope, type Id } from '@atelier/kernel';
import { fromRecord } from '@atelier/messaging';
import { aService, aUser, seeded, startService, STRESS_SEED, type ServiceUnderTest } from '@atelier/testing';
import {
  CreditsGranted,
  CreditsHeld,
  CreditsReleased,
  CreditsSpent,
} from '@atelier/contracts/ledger/credits.events';
import { AccountRepository } from '../accounts/account.repository.js';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { EarningsRepository } from '../earnings/earnings.repository.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { SANDBOX_CODE } from '../payouts/providers/sandbox.provider.js';
import { ApprovedPayouts } from '../payouts/approved-payouts.job.js';
import { RegenerateShard } from '../regeneration/regenerate-shard.usecase.js';
import { monthOf } from '../regeneration/regeneration.domain.js';
import { holdFor, jobEnded, paid, refunded, registered, sold } from './facts.fixture.js';

/** Promise 23: what the topics hold is enough to come to the same balances, to the credit and the minor unit. */
const STEPS = 30;
const USERS = 4;
const BILLING = '/api/v1/billing';
const ENV = {
  ...{ EARNINGS_MATURE_DAYS: '0', PAYOUT_CREDITS_MIN: '1', PAYOUT_METHOD_WAIT_SECONDS: '0' },
  ...{
    PAYOUT_SWEEP_INTERVAL_MS: '600000',
    REGENERATION_INTERVAL_MS: '86400000',
    HOLD_SWEEP_INTERVAL_MS: '600000',
  },
};
const [commerce, studio] = [aService('commerce'), aService('studio')];
const admins = [aUser('admin'), aUser('admin')] as const;
const started: ServiceUnderTest[] = [];
let now = new Date();
async function start(): Promise<ServiceUnderTest> {
  const clock = { provide: Clock, useValue: { now: () => now } };
  const service = await startService(LedgerModule, ledgerConfig, ENV, { overrides: [clock] });
  started.push(service);
  return service;
}
afterEach(async () => {
  for (const service of started.splice(0)) await service.close();
});
const of = <T>(service: ServiceUnderTest, type: abstract new (...args: never[]) => T): T =>
  service.app.get(type as never, { strict: false });

/** What every account has, of credits and of money. */
async function balancesOf(service: ServiceUnderTest) {
  const credits: Record<string, readonly [settled: number, held: number]> = {};
  for await (const { id, settled, held } of of(service, AccountRepository).all())
    credits[id] = [settled, held];
  const earnings = Object.fromEntries(
    (await of(service, EarningsRepository).behind('', 100)).map(({ id, settled }) => [id, settled]),
  );
  const { platform } = await of(service, VerifyBooks).execute();
  return { credits, earnings, platform };
}
const booksAddUp = async (service: ServiceUnderTest) =>
  expect((await of(service, VerifyBooks).execute()).findings).toEqual([]);

/** Every fact on every topic, in the order in which they were stated. */
async function everythingTold({ bus, settled }: ServiceUnderTest): Promise<EventEnvelope[]> {
  await settled();
  const told: EventEnvelope[] = [];
  for (const topic of await bus.topics()) {
    if (/\.(dead|retry)$/.test(topic)) continue;
    await bus.read(topic, (record) => told.push(fromRecord(record)));
  }
  return told.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A random history of what other services tell and ask; one in eight holds stays open. */
async function live(ledger: ServiceUnderTest): Promise<readonly ReturnType<typeof aUser>[]> {
  const pick = seeded(STRESS_SEED);
  // Whatever the seed, one sale is refunded: every kind of movement is in the history.
  let isRefunded = false;
  const users = Array.from({ length: USERS }, () => aUser());
  for (const { id } of users) await ledger.publish(registered(id), paid(id, 500 + pick(500), now));
  for (let step = 0; step < STEPS; step++) {
    const [from, amount, isSale] = [users[pick(USERS)]!, 1 + pick(150), pick(2) === 0];
    const to = users.filter((user) => user !== from)[pick(USERS - 1)]!;
    const ending = pick(8);
    if (isSale) {
      const hold = holdFor('pur', from.id, amount);
      if ((await ledger.as(commerce).post('/internal/holds', hold)).status !== 201 || ending === 0) continue;
      await ledger.publish(sold(hold, to.id, Math.floor(amount / 5)));
      if (ending === 1 || !isRefunded) await ledger.publish(refunded(hold, to.id, Math.floor(amount / 5)));
      isRefunded = true;
    } else {
      const hold = holdFor('job', from.id, amount);
      if ((await ledger.as(studio).post('/internal/holds', hold)).status !== 201 || ending === 0) continue;
      await ledger.publish(jobEnded(hold, pick(amount + 1)));
    }
  }
  return users;
}

/** One payout that is paid, one that fails and one that stays open. */
async function payOut(ledger: ServiceUnderTest, users: readonly ReturnType<typeof aUser>[]): Promise<void> {
  const emails = ['open@example.org', 'closed0000@example.org', 'late@example.org'];
  for (const [index, email] of emails.entries()) {
    const [client, buyer] = [ledger.as(users[index]!), newId('usr')];
    // More than what refunds may have left a seller to owe, whatever the seed.
    const hold = holdFor('pur', buyer, 5_000);
    await ledger.publish(paid(buyer, 5_000, now));
    expect((await ledger.as(commerce).post('/internal/holds', hold)).status).toBe(201);
    await ledger.publish(sold(hold, users[index]!.id, 1_000));
    const { body: method } = await client.post(`${BILLING}/payout-methods`, {
      account: { type: 'paypal', email },
    });
    await client.post(`${BILLING}/payout-methods/${String(method.id)}/verify`, { code: SANDBOX_CODE });
    const asked = await client.post(`${BILLING}/payout-requests`, { amountCredits: 100, currency: 'USD' });
    expect(asked.status).toBe(201);
    if (index === 2) return;
    const approval = `${BILLING}/payout-requests/${String(asked.body.id)}/approve`;
    expect((await ledger.as(admins[0]).post(approval)).status).toBe(200);
    await of(ledger, ApprovedPayouts).sweep();
  }
}

describe(`a fresh ledger that is told everything again (STRESS_SEED=${STRESS_SEED})`, () => {
  it('comes to the same balances, also when it is told twice (promise 23)', async () => {
    const ledger = await start();
    await payOut(ledger, await live(ledger));
    const told = await everythingTold(ledger);
    const fresh = await start();
    for (const event of told) {
      if (event.type === CreditsHeld.type) {
        // A hold is no fact of another service but a request: it is asked for again, as the ledger has stated it.
        const { expiresAt: _, ...hold } = event.data as typeof CreditsHeld.example;
        expect((await fresh.as(commerce).post('/internal/holds', hold)).status).toBe(201);
      } else if (!event.type.startsWith('ledger.credits.')) {
        // What it has concluded from the others it concludes again.
        await fresh.redeliver(event);
      }
    }
    expect(await fresh.deadLetters()).toEqual([]);
    const rebuilt = await balancesOf(fresh);
    expect(rebuilt).toEqual(await balancesOf(ledger));
    expect(Object.keys(rebuilt.earnings)).toHaveLength(3);
    expect(rebuilt.platform['platform:clearing USD']).toBeGreaterThan(0);
    await booksAddUp(fresh);
  });

  it('could add its own facts to what it has stored, for every kind of movement (promise 23)', async () => {
    const ledger = await start();
    const users = await live(ledger);
    await payOut(ledger, users);
    const code = 'REPLAY-23';
    await ledger.as(admins[0]).post(`${BILLING}/vouchers`, { code, type: 'fixed_credits', value: 30 });
    expect((await ledger.as(users[0]!).post(`${BILLING}/vouchers/redeem`, { code })).status).toBe(201);
    const adjustment = {
      userId: users[1]!.id,
      amount: -1,
      reason: 'Agreed with support.',
      allowNegative: true,
    };
    const { body } = await ledger.as(admins[0]).post(`${BILLING}/adjustments`, adjustment);
    const approval = `${BILLING}/adjustments/${String(body.id)}/approve`;
    expect((await ledger.as(admins[1]).post(approval)).status).toBe(200);
    for (const months of [1, 2]) {
      now = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, months));
      while (await of(ledger, RegenerateShard).execute(monthOf(now))) await sleep(0);
    }

    const sums: Record<string, [settled: number, held: number]> = {};
    const book = (userId: Id<'usr'>, settled: number, held: number) => {
      const before = (sums[userId] ??= [0, 0]);
      before[0] += settled;
      before[1] += held;
    };
    for (const { data } of await ledger.facts(CreditsGranted)) book(data.userId, data.amount, 0);
    for (const { data } of await ledger.facts(CreditsSpent))
      book(data.userId, -data.amount, data.holdId ? -data.amount : 0);
    for (const { data } of await ledger.facts(CreditsHeld)) book(data.userId, 0, data.amount);
    for (const { data } of await ledger.facts(CreditsReleased)) book(data.userId, 0, -data.amount);
    expect(sums).toEqual((await balancesOf(ledger)).credits);
    const kinds = new Set((await ledger.facts(CreditsGranted)).map(({ data }) => data.type));
    expect([...kinds].sort()).toEqual([
      'earn_bonus',
      'earn_purchase',
      'earn_regeneration',
      'earn_sale',
      'payout_return',
      'refund',
    ]);
    await booksAddUp(ledger);
  });
});
