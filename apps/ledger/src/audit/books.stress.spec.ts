import { DomainError, newId, type Id } from '@atelier/kernel';
import {
  aContext,
  aService,
  seeded,
  startService,
  STRESS_SEED,
  type ServiceUnderTest,
} from '@atelier/testing';
import type { PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';
import { AccountRepository } from '../accounts/account.repository.js';
import { HoldRepository } from '../holds/hold.repository.js';
import { PlaceHold } from '../holds/place-hold.usecase.js';
import { SettleHold } from '../holds/settle-hold.usecase.js';
import { userAccount, type EntryDraft } from '../journal/entry.domain.js';
import { PostEntry } from '../journal/post-entry.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { VerifyBooks } from './verify-books.usecase.js';

const HOUR_MS = 3_600_000;
const studio = aService('studio');
const context = aContext(studio);
/** Two instances on one database, and everything at once. Repeat a run with STRESS_SEED. */
let instances: readonly [ServiceUnderTest, ServiceUnderTest];

beforeAll(async () => {
  const env = {
    MONGODB_DATABASE: `ledger_stress_${newId('t').slice(-12)}`,
    HOLD_SWEEP_INTERVAL_MS: '600000',
  };
  instances = [
    await startService(LedgerModule, ledgerConfig, env),
    await startService(LedgerModule, ledgerConfig, env),
  ];
});
afterAll(async () => {
  for (const instance of instances) await instance.close();
});

let turn = 0;
const either = () => instances[turn++ % 2]!;
const use = <T>(type: abstract new (...args: never[]) => T): T =>
  either().app.get(type as never, { strict: false });

const grant = (userId: Id<'usr'>, amount: number, causeId: string = newId('pay')): EntryDraft => ({
  causeId,
  sourceId: causeId,
  postings: [
    { account: 'platform:clearing', asset: 'credits', amount: -amount },
    { account: userAccount(userId), asset: 'credits', amount, type: 'earn_purchase' },
  ],
});
const sale = (from: Id<'usr'>, to: Id<'usr'>, amount: number): EntryDraft => ({
  causeId: newId('pur'),
  sourceId: 'stress',
  postings: [
    { account: userAccount(from), asset: 'credits', amount: -amount, type: 'spend_marketplace' },
    { account: userAccount(to), asset: 'credits', amount, type: 'earn_sale' },
  ],
});
const holdOf = (userId: Id<'usr'>, amount: number): PlaceHoldRequest => ({
  holdId: newId('hld'),
  userId,
  amount,
  type: 'spend_marketplace',
  sourceId: newId('pur'),
});
const place = async (hold: PlaceHoldRequest) =>
  (await either().as(studio).post('/internal/holds', hold)).status;
const balanceOf = async (userId: Id<'usr'>) => (await use(AccountRepository).load(userId))!;

async function userWith(credits: number): Promise<Id<'usr'>> {
  const userId = newId('usr');
  await use(PostEntry).execute(grant(userId, credits), context);
  return userId;
}
async function expectBooksToBalance(): Promise<void> {
  const { findings, platform } = await use(VerifyBooks).execute();
  expect(findings).toEqual([]);
  let users = 0;
  for await (const { settled } of use(AccountRepository).all()) users += settled;
  expect(users + Object.values(platform).reduce((sum, balance) => sum + balance, 0)).toBe(0);
}
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe(`under load (STRESS_SEED=${STRESS_SEED})`, () => {
  it('200 concurrent spends of the last credit: one gets it (promise 2)', async () => {
    const userId = await userWith(1);
    const statuses = await Promise.all(times(200, () => place(holdOf(userId, 1))));
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 402)).toHaveLength(199);
    expect(await balanceOf(userId)).toMatchObject({ settled: 1, held: 1, available: 0 });
    await expectBooksToBalance();
  });

  it('6 holds of 1000 on 5000: the sixth is refused (promise 3)', async () => {
    const userId = await userWith(5000);
    const statuses = await Promise.all(times(6, () => place(holdOf(userId, 1000))));
    expect(statuses.sort()).toEqual([201, 201, 201, 201, 201, 402]);
    expect(await balanceOf(userId)).toMatchObject({ settled: 5000, held: 5000, available: 0 });
  });

  it('50 repeats of one hold at the same time set its credits aside once (promise 6)', async () => {
    const userId = await userWith(100);
    const hold = holdOf(userId, 30);
    expect(new Set(await Promise.all(times(50, () => place(hold))))).toEqual(new Set([201]));
    expect(await balanceOf(userId)).toMatchObject({ held: 30, available: 70 });
  });

  it('50 posts of one cause at the same time make one entry (promise 12)', async () => {
    const userId = newId('usr');
    const draft = grant(userId, 10);
    const posted = await Promise.allSettled(times(50, () => use(PostEntry).execute(draft, context)));
    expect(posted.filter((result) => result.status === 'fulfilled' && result.value)).toHaveLength(1);
    expect(await balanceOf(userId)).toMatchObject({ settled: 10, sequence: 1 });
  });

  it('capture, release and expiry raced end a hold once (promise 4)', async () => {
    for (let round = 0; round < 20; round++) {
      const [userId, seller] = [await userWith(100), newId('usr')];
      const hold = holdOf(userId, 10);
      expect(await place(hold)).toBe(201);
      await either()
        .database.connection.collection('credit_holds')
        .updateOne({ _id: hold.holdId as never }, { $set: { expiresAt: new Date(Date.now() - HOUR_MS) } });
      const { holdId } = hold;
      const capture = () =>
        use(SettleHold).execute({ holdId, end: 'capture', entry: sale(userId, seller, 10) }, context);
      const release = () => use(SettleHold).execute({ holdId, end: 'release', reason: 'failed' }, context);
      const expire = () => use(SettleHold).execute({ holdId, end: 'expire' }, context);
      const pick = seeded(STRESS_SEED + round);
      await Promise.allSettled(
        [capture, release, expire, capture, release, expire].sort(() => pick(3) - 1).map((end) => end()),
      );
      const { status } = (await use(HoldRepository).load(holdId))!;
      const settled = status === 'captured' ? 90 : 100;
      expect(status).not.toBe('held');
      expect(await balanceOf(userId)).toMatchObject({ settled, held: 0, available: settled });
    }
    await expectBooksToBalance();
  });

  it('random sales, holds and grants by 32 workers over 6 accounts conserve credits (promise 1)', async () => {
    const users = await Promise.all(times(6, () => userWith(500)));
    const pick = seeded(STRESS_SEED);
    const steps = times(320, () => ({ kind: pick(4), from: pick(6), to: pick(5), amount: 1 + pick(120) }));
    const refused: unknown[] = [];
    const worker = async (): Promise<void> => {
      for (let step = steps.pop(); step; step = steps.pop()) {
        const from = users[step.from]!;
        const to = users.filter((user) => user !== from)[step.to]!;
        try {
          if (step.kind === 0) {
            await use(PostEntry).execute(grant(from, step.amount), context);
            continue;
          }
          const { id: holdId } = await use(PlaceHold).execute(holdOf(from, step.amount), context);
          const entry = sale(from, to, step.kind === 1 ? step.amount : Math.ceil(step.amount / 2));
          if (step.kind === 3)
            await use(SettleHold).execute({ holdId, end: 'release', reason: 'canceled' }, context);
          else await use(SettleHold).execute({ holdId, end: 'capture', entry }, context);
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
          refused.push(error.code);
        }
      }
    };
    await Promise.all(times(32, worker));
    expect(new Set(refused.filter((code) => code !== 'ledger.credits.insufficient'))).toEqual(new Set());
    for (const user of users) expect((await balanceOf(user)).available).toBeGreaterThanOrEqual(0);
    await expectBooksToBalance();
  });
});
