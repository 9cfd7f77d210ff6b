import { jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Clock, exampleEnvelope, newId, type Id } from '@atelier/kernel';
import {
  aService,
  aUser,
  eventually,
  infrastructure,
  startService,
  type ServiceUnderTest,
} from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { CreditsGranted, CreditsSpent } from '@atelier/contracts/ledger/credits.events';
import { AccountRepository } from '../accounts/account.repository.js';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { empty, TestClock } from '../payouts/seller.fixture.js';
import { holdFor, refunded, sold } from '../promises/facts.fixture.js';
import { DatabaseTime } from './begun-month.js';
import { RegenerateShard } from './regenerate-shard.usecase.js';
import { monthOf, startOf, type Month } from './regeneration.domain.js';

const NEVER_BY_ITSELF = { REGENERATION_INTERVAL_MS: '86400000', REGENERATION_PAUSE_MS: '0' };
/** MongoDB gives a dead client's transaction up after a minute. */
const DEAD_TRANSACTIONS_TIMEOUT_MS = 90_000;
const billing = aService('commerce');
let clock: TestClock;
let shared: ServiceUnderTest;
const started: ServiceUnderTest[] = [];
/** One that nobody has used, or one of its own environment. */
async function start(env?: Record<string, string>): Promise<ServiceUnderTest> {
  if (!env && shared) return shared;
  const overrides = [{ provide: Clock, useValue: clock }];
  const service = await startService(
    LedgerModule,
    ledgerConfig,
    { ...NEVER_BY_ITSELF, ...env },
    { overrides },
  );
  if (env) started.push(service);
  return service;
}
beforeAll(async () => {
  clock = new TestClock();
  shared = await start();
});
beforeEach(async () => {
  await empty(shared);
  clock.time = new TestClock().time;
});
afterAll(() => shared.close());
afterEach(async () => {
  for (const service of started.splice(0)) await service.close();
});

const of = <T>(service: ServiceUnderTest, type: abstract new (...args: never[]) => T): T =>
  service.app.get(type as never, { strict: false });
const open = async (service: ServiceUnderTest, users: number): Promise<Id<'usr'>[]> => {
  const ids = Array.from({ length: users }, () => newId('usr'));
  for (const id of ids) await of(service, AccountRepository).open(id, clock.now());
  return ids;
};
/** Works until nothing is left to do, and answers how many accounts that were. */
async function sweep(service: ServiceUnderTest, month: Month = monthOf(clock.now())): Promise<number> {
  let accounts = 0;
  for (;;) {
    const report = await of(service, RegenerateShard).execute(month);
    if (!report) return accounts;
    accounts += report.accounts;
  }
}
const statementOf = async (service: ServiceUnderTest, user: ReturnType<typeof aUser>) => {
  const { body } = await service.as(user).get('/api/v1/billing/credit-transactions?limit=100');
  return (body.items as { type: string; amount: number; balanceAfter: number }[]).map(
    ({ type, amount, balanceAfter }) => `${type} ${amount} → ${balanceAfter}`,
  );
};
const count = (service: ServiceUnderTest, collection: string, filter = {}) =>
  service.database.connection.collection(collection).countDocuments(filter);
const expectBooksToBalance = async (service: ServiceUnderTest) =>
  expect((await of(service, VerifyBooks).execute()).findings).toEqual([]);
const setTier = (service: ServiceUnderTest, userId: string, tier: string) =>
  service.as(billing).put(`/internal/accounts/${userId}/tier`, { tier });
const buy = (service: ServiceUnderTest, userId: Id<'usr'>, credits: number) => {
  const payment = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId, credits };
  return service.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
};

describe('the monthly regeneration', () => {
  it('brings each tier its credits, expires what is above the rollover and nothing that was bought (R234, R235)', async () => {
    const ledger = await start();
    const user = aUser();
    expect((await setTier(ledger, user.id, 'basic')).status).toBe(204);
    await buy(ledger, user.id, 1_000);
    clock.time = new Date('2026-12-01T00:00:01Z');
    expect(await sweep(ledger)).toBe(1);
    clock.time = new Date('2027-01-01T00:00:01Z');
    expect(await sweep(ledger)).toBe(1);
    expect(await statementOf(ledger, user)).toEqual([
      'earn_regeneration 500 → 1750',
      'rollover_expiry -250 → 1250',
      'earn_regeneration 500 → 1500',
      'earn_purchase 1000 → 1000',
    ]);
    const told = [...(await ledger.facts(CreditsGranted)), ...(await ledger.facts(CreditsSpent))];
    const own = told.filter(({ data }) => data.userId === user.id);
    expect(own.map(({ data }) => [data.type, data.amount])).toEqual([
      ['earn_purchase', 1_000],
      ['earn_regeneration', 500],
      ['earn_regeneration', 500],
      ['rollover_expiry', 250],
    ]);
    await expectBooksToBalance(ledger);
  });

  it('leaves what a hold has set aside', async () => {
    const ledger = await start();
    const user = aUser();
    await setTier(ledger, user.id, 'free');
    clock.time = new Date('2026-12-01T00:00:01Z');
    await sweep(ledger);
    const hold = {
      holdId: newId('hld'),
      userId: user.id,
      amount: 30,
      type: 'spend_enhancement',
      sourceId: 'job',
    };
    expect((await ledger.as(billing).post('/internal/holds', hold)).status).toBe(201);
    clock.time = new Date('2027-01-01T00:00:01Z');
    await sweep(ledger);
    expect(await statementOf(ledger, user)).toEqual([
      'earn_regeneration 50 → 80',
      'rollover_expiry -20 → 30',
      'earn_regeneration 50 → 50',
    ]);
    await expectBooksToBalance(ledger);
  });

  it('comes once, also when the clock jumps back and forth', async () => {
    const ledger = await start();
    const [id] = await open(ledger, 1);
    const sweeps: number[] = [];
    for (const time of ['2026-12-01', '2026-11-15', '2026-12-20', '2026-10-01', '2026-12-31']) {
      clock.time = new Date(`${time}T00:00:00Z`);
      sweeps.push(await sweep(ledger));
    }
    expect(sweeps).toEqual([1, 0, 0, 0, 0]);
    expect(await of(ledger, AccountRepository).load(id!)).toMatchObject({ settled: 50, sequence: 1 });
  });

  it('makes up for each missed month in its order', async () => {
    const ledger = await start({ REGENERATION_CREDITS: '{"free":50,"basic":1,"standard":1,"premium":1}' });
    const user = aUser();
    await of(ledger, AccountRepository).open(user.id, clock.now());
    clock.time = new Date('2027-02-10T00:00:00Z');
    await sweep(ledger);
    expect(await statementOf(ledger, user)).toEqual([
      'earn_regeneration 50 → 50',
      'rollover_expiry -50 → 0',
      'earn_regeneration 50 → 50',
      'rollover_expiry -50 → 0',
      'earn_regeneration 50 → 50',
    ]);
    expect((await of(ledger, AccountRepository).load(user.id))?.lastRegeneratedAt).toEqual(
      startOf('2027-02'),
    );
    await expectBooksToBalance(ledger);
  });

  it('brings 200 accounts theirs once while two replicas race', async () => {
    const env = {
      MONGODB_DATABASE: `ledger_race_${newId('t').slice(-12)}`,
      REGENERATION_SHARD_ACCOUNTS: '20',
    };
    const replicas = [await start(env), await start(env)] as const;
    const [ledger] = replicas;
    await open(ledger, 200);
    clock.time = new Date('2026-12-01T00:00:00Z');
    const done = await Promise.all(replicas.map((replica) => sweep(replica)));
    expect(done.reduce((sum, accounts) => sum + accounts)).toBe(200);
    expect(await count(ledger, 'credit_balances', { settled: 50, sequence: 1 })).toBe(200);
    expect(await count(ledger, 'journal_entries')).toBe(200);
    await expectBooksToBalance(ledger);
  });

  it('brings an account its credits once when two do so at the same time', async () => {
    const env = { MONGODB_DATABASE: `ledger_race_${newId('t').slice(-12)}` };
    const [one, two] = [await start(env), await start(env)];
    const [id] = await open(one, 1);
    clock.time = new Date('2026-12-01T00:00:00Z');
    // Both walk the same shard: the lease of the first has run out for the second at once.
    const lease = one.database.connection.collection('regeneration_shards');
    const first = sweep(one);
    await eventually(async () => expect(await lease.countDocuments({})).toBeGreaterThan(0));
    await lease.updateMany({}, { $set: { leasedUntil: new Date(0) } });
    await Promise.all([first, sweep(two)]);
    expect(await of(one, AccountRepository).load(id!)).toMatchObject({ settled: 50, sequence: 1 });
  });

  it(
    'goes on where a replica was killed, and brings nothing twice',
    async () => {
      // A month that is over: the test may run across a turn.
      const month: Month = '2026-01';
      clock.time = new Date('2025-12-31T00:00:00Z');
      const ledger = await start({ REGENERATION_SHARD_ACCOUNTS: '150' });
      await open(ledger, 150);
      const env = {
        ...process.env,
        MONGODB_URI: infrastructure().mongodbUri,
        MONGODB_DATABASE: ledger.database.connection.name,
        REGENERATION_SHARD_ACCOUNTS: '150',
        REGENERATION_BATCH_MAX: '30',
        // It is killed between its first batch and its second.
        REGENERATION_PAUSE_MS: '60000',
      };
      const flags = ['--import', '@atelier/stack/typescript'];
      const command = ['apps/ledger/src/cli.ts', 'regenerate', '--month', month];
      const replica = spawn(process.execPath, [...flags, ...command], { env });
      await eventually(
        async () => expect(await count(ledger, 'journal_entries')).toBe(30),
        DEAD_TRANSACTIONS_TIMEOUT_MS,
      );
      replica.kill('SIGKILL');
      await once(replica, 'exit');
      clock.time = new Date();
      // Its lease stands until it has run out: nobody takes the shard from a replica that may be alive.
      expect(await sweep(ledger, month)).toBe(0);
      // What was in work when the replica died stays locked until the database gives its transactions up: those
      // accounts fail, and the shard comes again for them.
      await eventually(async () => {
        clock.time = new Date(clock.time.getTime() + 7_200_000);
        await sweep(ledger, month);
        expect(await count(ledger, 'credit_balances', { settled: 50, sequence: 1 })).toBe(150);
      }, DEAD_TRANSACTIONS_TIMEOUT_MS);
      expect(await count(ledger, 'journal_entries')).toBe(150);
      expect(await count(ledger, 'regeneration_shards', { finishedAt: null })).toBe(0);
      await expectBooksToBalance(ledger);
    },
    2 * DEAD_TRANSACTIONS_TIMEOUT_MS,
  );

  it('brings 32 accounts theirs in one transaction', async () => {
    const ledger = await start();
    await open(ledger, 32);
    clock.time = new Date('2026-12-01T00:00:00Z');
    let commits = 0;
    ledger.database.connection.getClient().on('commandStarted', ({ commandName, command }) => {
      if (commandName === 'insert' && command.insert === 'journal_entries') commits++;
    });
    expect(await sweep(ledger)).toBe(32);
    expect(commits).toBe(1);
    await expectBooksToBalance(ledger);
  });

  it('lets nothing expire that was bought, when it comes back by a refund after the turn (R235)', async () => {
    const ledger = await start();
    const [user, seller] = [aUser(), aUser()];
    await of(ledger, AccountRepository).open(user.id, clock.now());
    clock.time = new Date('2026-12-01T00:00:01Z');
    await sweep(ledger);
    await buy(ledger, user.id, 100);
    const [used, bought] = [holdFor('pur', user.id, 50), holdFor('pur', user.id, 100)];
    for (const hold of [used, bought]) {
      expect((await ledger.as(billing).post('/internal/holds', hold)).status).toBe(201);
      await ledger.publish(sold(hold, seller.id, 20));
    }
    clock.time = new Date('2027-01-01T00:00:01Z');
    await sweep(ledger);
    await ledger.publish(refunded(bought, seller.id, 20));
    clock.time = new Date('2027-02-01T00:00:01Z');
    await sweep(ledger);
    expect((await statementOf(ledger, user)).slice(0, 4)).toEqual([
      'earn_regeneration 50 → 150',
      'rollover_expiry -50 → 100',
      'refund 100 → 150',
      'earn_regeneration 50 → 50',
    ]);
    await expectBooksToBalance(ledger);
  });

  it('posts nothing twice when only the note of it on the balance was lost', async () => {
    const ledger = await start();
    const ids = await open(ledger, 3);
    clock.time = new Date('2026-12-01T00:00:00Z');
    await sweep(ledger);
    const balances = ledger.database.connection.collection('credit_balances');
    await balances.updateOne(
      { _id: ids[1] as never },
      { $set: { lastRegeneratedAt: new Date('2026-11-02T00:00:00Z') }, $inc: { version: 1 } },
    );
    expect(await sweep(ledger)).toBe(0);
    expect(
      await count(ledger, 'credit_balances', { settled: 50, lastRegeneratedAt: startOf('2026-12') }),
    ).toBe(3);
    expect(await count(ledger, 'journal_entries')).toBe(3);
    expect(await count(ledger, 'regeneration_shards', { finishedAt: null })).toBe(0);
  });

  it('brings the others theirs while somebody keeps one account', async () => {
    const ledger = await start();
    const ids = await open(ledger, 6);
    clock.time = new Date('2026-12-01T00:00:00Z');
    const { connection } = ledger.database;
    const session = await connection.startSession();
    session.startTransaction();
    const kept = { _id: ids[3] as never };
    await connection.collection('credit_balances').updateOne(kept, { $inc: { version: 1 } }, { session });
    expect(await sweep(ledger)).toBe(5);
    await session.abortTransaction();
    await session.endSession();
    clock.time = new Date('2026-12-01T00:05:00Z');
    expect(await sweep(ledger)).toBe(1);
  });

  it('brings within the month what failed before its replica stopped', async () => {
    const env = { MONGODB_DATABASE: `ledger_stop_${newId('t').slice(-12)}`, REGENERATION_BATCH_MAX: '2' };
    const [one, two] = [await start(env), await start(env)];
    const ids = await open(one, 5);
    const balances = one.database.connection.collection('credit_balances');
    const damaged = { _id: ids[1] as never };
    await balances.updateOne(damaged, { $set: { lastEntryId: 'jrn_that_is_not_there', sequence: 1 } });
    clock.time = new Date('2026-12-01T00:00:00Z');
    const stopped = AbortSignal.abort();
    expect(await of(one, RegenerateShard).execute('2026-12', stopped)).toMatchObject({
      accounts: 1,
      failed: 1,
    });
    await balances.updateOne(damaged, { $set: { lastEntryId: null, sequence: 0 } });
    expect(await sweep(two)).toBe(3);
    clock.time = new Date('2026-12-01T00:05:00Z');
    expect(await sweep(two)).toBe(1);
    expect(await count(two, 'credit_balances', { settled: 50 })).toBe(5);
  });

  it('goes round once more for an account that becomes due where its shards have been', async () => {
    const ledger = await start({ REGENERATION_SHARD_ACCOUNTS: '2' });
    const late = newId('usr');
    await open(ledger, 5);
    clock.time = new Date('2026-12-01T00:00:00Z');
    expect(await sweep(ledger)).toBe(5);
    // Opened by a replica whose clock was behind.
    await of(ledger, AccountRepository).open(late, new Date('2026-11-30T23:59:59Z'));
    expect(await sweep(ledger)).toBe(1);
    expect(await of(ledger, AccountRepository).load(late)).toMatchObject({ settled: 50 });
  });

  it('does not let one damaged account keep the others, and comes again for it', async () => {
    const ledger = await start();
    const ids = await open(ledger, 5);
    const balances = ledger.database.connection.collection('credit_balances');
    const damage = { lastEntryId: 'jrn_that_is_not_there', sequence: 1 };
    await balances.updateOne({ _id: ids[2] as never }, { $set: damage });
    clock.time = new Date('2026-12-01T00:00:00Z');
    expect(await sweep(ledger)).toBe(4);
    expect(await sweep(ledger)).toBe(0);
    await balances.updateOne({ _id: ids[2] as never }, { $set: { lastEntryId: null, sequence: 0 } });
    clock.time = new Date('2026-12-01T00:05:00Z');
    expect(await sweep(ledger)).toBe(1);
    await expectBooksToBalance(ledger);
  });

  it('runs by itself when the month turns', async () => {
    const ledger = await start({ REGENERATION_INTERVAL_MS: '20' });
    jest.spyOn(of(ledger, DatabaseTime), 'now').mockImplementation(() => Promise.resolve(clock.time));
    const [id] = await open(ledger, 1);
    clock.time = new Date('2026-12-01T00:00:00Z');
    await eventually(async () =>
      expect(await of(ledger, AccountRepository).load(id!)).toMatchObject({ settled: 50 }),
    );
  });
});

describe('a clock that jumps ten years ahead', () => {
  const JUMPED = new Date('2036-12-01T00:00:00Z');
  it.each([
    ['of a replica', (right: Date) => ({ own: JUMPED, database: right })],
    ['of the database', (right: Date) => ({ own: right, database: JUMPED })],
  ])(
    '%s, brings nothing ahead of time, and nothing is missed when it is set right (R234)',
    async (_, jump) => {
      const ledger = await start({ REGENERATION_INTERVAL_MS: '20' });
      const databaseTime = jest.spyOn(of(ledger, DatabaseTime), 'now').mockResolvedValue(clock.time);
      const tell = ({ own, database }: { own: Date; database: Date }) => {
        clock.time = own;
        databaseTime.mockResolvedValue(database);
      };
      const [id] = await open(ledger, 1);
      const expectTurns = (month: Month, sequence: number) =>
        eventually(async () =>
          expect(await of(ledger, AccountRepository).load(id!)).toMatchObject({
            ...{ lastRegeneratedAt: startOf(month), sequence },
          }),
        );
      tell(jump(new Date('2026-12-01T00:00:00Z')));
      await expectTurns('2026-12', 1);
      const right = new Date('2027-01-01T00:00:00Z');
      tell({ own: right, database: right });
      // What expires of the first, and the second.
      await expectTurns('2027-01', 3);
    },
  );
});

describe('the tier of an account', () => {
  it('is set by services only, and only to one that there is (R234)', async () => {
    const ledger = await start();
    const user = aUser();
    expect(
      (await ledger.as(user).put(`/internal/accounts/${user.id}/tier`, { tier: 'premium' })).status,
    ).toBe(403);
    expect((await setTier(ledger, user.id, 'gold')).status).toBe(400);
    expect((await setTier(ledger, 'me', 'basic')).status).toBe(400);
    expect((await setTier(ledger, user.id, 'standard')).status).toBe(204);
    expect((await setTier(ledger, user.id, 'standard')).status).toBe(204);
    expect(await of(ledger, AccountRepository).load(user.id)).toMatchObject({ tier: 'standard', version: 2 });
  });
});
