import { newId, type Actor, type Id } from '@atelier/kernel';
import { aUser } from '@atelier/testing';
import { SANDBOX_CODE } from '../payouts/providers/sandbox.provider.js';
import { bankAccount } from '../payouts/seller.fixture.js';
import { holdFor, paid, sold } from './facts.fixture.js';
import { LedgerProcess } from './ledger-process.fixture.js';
import { isCommitOf, isKeptAnswer } from './tripwire.fixture.js';

type Point = (bytes: Buffer) => boolean;

/** Promises 6 to 10 on every POST of the ledger that takes an Idempotency-Key, over HTTP against a real process. */
const AT_ONCE = 50;
const BILLING = '/api/v1/billing';
let ledger: LedgerProcess;
beforeAll(async () => {
  ledger = await LedgerProcess.create({
    EARNINGS_MATURE_DAYS: '0',
    // As many requests as there are intents are held at once.
    MONGODB_POOL_MAX: '30',
    PAYOUT_ACCOUNT_KEY: Buffer.alloc(32, 7).toString('base64'),
    PAYOUT_CREDITS_MIN: '1',
    PAYOUT_METHOD_WAIT_SECONDS: '0',
  });
}, 120_000);
afterEach(async () => {
  // A test that failed half-way must not take the others with it.
  if (!ledger.isRunning) await ledger.start();
});
afterAll(() => ledger.stop());

interface Intent {
  readonly actor: Actor;
  readonly path: string;
  readonly body?: object;
  /** Another request that the same caller could send with the same key. */
  readonly other: object;
  /** Where the effect is written. */
  readonly collection: string;
  /** Rows there that stand for the effect: 0 before, 1 after. */
  effects(): Promise<number>;
}

const effectIn = (collection: string, filter: object) => ({
  collection,
  effects: () => ledger.database.connection.collection(collection).countDocuments(filter),
});
const [admin, second] = [aUser('admin'), aUser('admin')];
const send = ({ actor, path, body }: Pick<Intent, 'actor' | 'path' | 'body'>, key: string) =>
  ledger.request(actor, 'POST', path, body, { 'idempotency-key': key });
const created = async (actor: Actor, path: string, body?: object) => {
  const reply = await send({ actor, path, ...(body ? { body } : {}) }, newId('t'));
  expect([200, 201]).toContain(reply.status);
  return reply.body as { id: string; code: string };
};
const code = () => newId('t').slice(-20).toUpperCase();
const voucher = (more: object = {}) =>
  created(admin, `${BILLING}/vouchers`, { code: code(), type: 'fixed_credits', value: 7, ...more });
async function userWith(credits: number) {
  const user = aUser();
  await ledger.ask('publish', [paid(user.id, credits)]);
  return user;
}
const paypal = () => ({ account: { type: 'paypal', email: `${newId('t')}@example.org` } });
const PAYOUT = { amountCredits: 300, currency: 'USD' };
/** Somebody who may ask for a payout. */
async function seller() {
  const [buyer, actor] = [await userWith(1_000), aUser()];
  const hold = holdFor('pur', buyer.id, 1_000);
  await created({ kind: 'service', id: 'commerce' }, '/internal/holds', hold);
  await ledger.ask('publish', [sold(hold, actor.id, 200)]);
  const { id } = await created(actor, `${BILLING}/payout-methods`, paypal());
  await created(actor, `${BILLING}/payout-methods/${id}/verify`, { code: SANDBOX_CODE });
  return actor;
}
const adjustment = (userId: Id<'usr'>, amount: number) => ({ userId, amount, reason: 'A test of promises.' });

const INTENTS: Record<string, () => Promise<Intent>> = {
  'creating a voucher': async () => {
    const body = { code: code(), type: 'fixed_credits', value: 7 };
    const effect = effectIn('vouchers', { code: body.code });
    return { actor: admin, path: `${BILLING}/vouchers`, body, other: { ...body, value: 8 }, ...effect };
  },
  'redeeming a voucher': async () => {
    const [actor, mine, another] = [aUser(), await voucher(), await voucher()];
    const effect = effectIn('credit_transactions', { userId: actor.id });
    const path = `${BILLING}/vouchers/redeem`;
    return { actor, path, body: { code: mine.code }, other: { code: another.code }, ...effect };
  },
  'asking for an adjustment': async () => {
    const { id } = await userWith(10);
    const effect = effectIn('credit_adjustments', { userId: id });
    const [body, other] = [adjustment(id, 5), adjustment(id, 6)];
    return { actor: admin, path: `${BILLING}/adjustments`, body, other, ...effect };
  },
  'approving an adjustment': async () => {
    const user = await userWith(10);
    const { id } = await created(admin, `${BILLING}/adjustments`, adjustment(user.id, 5));
    const effect = effectIn('credit_transactions', { userId: user.id, type: 'earn_admin_adjustment' });
    return { actor: second, path: `${BILLING}/adjustments/${id}/approve`, other: { note: 'x' }, ...effect };
  },
  'adding a payout method': async () => {
    const actor = aUser();
    const effect = effectIn('payout_methods', { userId: actor.id });
    return { actor, path: `${BILLING}/payout-methods`, body: paypal(), other: paypal(), ...effect };
  },
  'verifying a payout method': async () => {
    const actor = aUser();
    const { id } = await created(actor, `${BILLING}/payout-methods`, paypal());
    const effect = effectIn('payout_methods', { _id: id as never, status: 'verified' });
    const [body, other] = [{ code: SANDBOX_CODE }, { code: '000000' }];
    return { actor, path: `${BILLING}/payout-methods/${id}/verify`, body, other, ...effect };
  },
  'asking for a payout': async () => {
    const actor = await seller();
    const effect = effectIn('credit_transactions', { userId: actor.id, type: 'spend_payout' });
    const other = { ...PAYOUT, amountCredits: 1 };
    return { actor, path: `${BILLING}/payout-requests`, body: PAYOUT, other, ...effect };
  },
  'approving a payout': async () => {
    const { id } = await created(await seller(), `${BILLING}/payout-requests`, PAYOUT);
    const effect = effectIn('payout_requests', { _id: id as never, decidedById: admin.id });
    return {
      actor: admin,
      path: `${BILLING}/payout-requests/${id}/approve`,
      other: { note: 'x' },
      ...effect,
    };
  },
  'rejecting a payout': async () => {
    const actor = await seller();
    const { id } = await created(actor, `${BILLING}/payout-requests`, PAYOUT);
    const effect = effectIn('credit_transactions', { userId: actor.id, type: 'payout_return' });
    const [body, other] = [{ reason: 'Under review.' }, { reason: 'For another reason.' }];
    return { actor: admin, path: `${BILLING}/payout-requests/${id}/reject`, body, other, ...effect };
  },
  'canceling a payout': async () => {
    const actor = await seller();
    const { id } = await created(actor, `${BILLING}/payout-requests`, PAYOUT);
    const effect = effectIn('credit_transactions', { userId: actor.id, type: 'payout_return' });
    return { actor, path: `${BILLING}/payout-requests/${id}/cancel`, other: { note: 'x' }, ...effect };
  },
  'rejecting an adjustment': async () => {
    const user = await userWith(10);
    const { id } = await created(admin, `${BILLING}/adjustments`, adjustment(user.id, 5));
    const effect = effectIn('credit_adjustments', { _id: id as never, status: 'rejected' });
    const [body, other] = [{ reason: 'A mistake.' }, { reason: 'For another reason.' }];
    return { actor: second, path: `${BILLING}/adjustments/${id}/reject`, body, other, ...effect };
  },
  'making a bank file': async () => {
    const { id } = await created(aUser(), `${BILLING}/payout-methods`, { account: bankAccount() });
    const effect = effectIn('bank_transfers', { _id: id as never, bankFileId: { $ne: null } });
    return { actor: admin, path: `${BILLING}/payout-requests/bank-files`, other: { note: 'x' }, ...effect };
  },
};
const booksAddUp = async () => expect(await ledger.ask('findings')).toEqual([]);

describe.each(Object.entries(INTENTS))('%s', (_, make) => {
  it('happens once for 50 at the same time and 50 later, all answered alike (promise 6)', async () => {
    const [intent, key] = [await make(), newId('t')];
    const first = await Promise.all(Array.from({ length: AT_ONCE }, () => send(intent, key)));
    for (const early of first.filter(({ status }) => status === 409)) {
      expect(early.body.code).toBe('platform.idempotency.in_flight');
      expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const done = first.find(({ status }) => status < 300)!;
    const later = await Promise.all(Array.from({ length: AT_ONCE }, () => send(intent, key)));
    const answers = [...first.filter(({ status }) => status !== 409), ...later];
    for (const { status, body } of answers)
      expect({ status, body }).toEqual({ status: done.status, body: done.body });
    expect(new Set(later.map(({ headers }) => headers.get('idempotency-replayed')))).toEqual(
      new Set(['true']),
    );
    expect(await intent.effects()).toBe(1);
  });

  it('refuses its key with another body, and writes nothing for it (promise 7)', async () => {
    const [intent, key] = [await make(), newId('t')];
    const answers = await Promise.all([send(intent, key), send({ ...intent, body: intent.other }, key)]);
    // A route that reads no body refuses one, with any key.
    const refusal = intent.body
      ? { status: 422, code: 'platform.idempotency.key_reused' }
      : { status: 400, code: 'platform.request.invalid' };
    const [refused, ...more] = answers.filter(({ body }) => body.code === refusal.code);
    expect([refused?.status, more]).toEqual([refusal.status, []]);
    expect(refused!.headers.get('content-type')).toContain('application/problem+json');
    expect(await intent.effects()).toBeLessThanOrEqual(1);
    // Whichever came first is answered. The other body may be one that means nothing.
    if (refused === answers[1]) expect(answers[0].status).toBeLessThan(300);
  });

  it('tells a repeat to wait while the first is at work, and repeats its answer afterwards (promise 8)', async () => {
    const [intent, key] = [await make(), newId('t')];
    const caught = ledger.wire.catchNext(isKeptAnswer);
    const slow = send(intent, key);
    const { letGo } = await caught;
    const early = await send(intent, key);
    expect(early).toMatchObject({ status: 409, body: { code: 'platform.idempotency.in_flight' } });
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
    letGo();
    const { status, body } = await slow;
    expect(await send(intent, key)).toMatchObject({ status, body });
    expect(await intent.effects()).toBe(1);
  });

  it('does not answer one caller with what another got for the same key (promise 10)', async () => {
    const [intent, key] = [await make(), newId('t')];
    const own = await send(intent, key);
    const stranger = { ...intent.actor, id: newId('usr') };
    const foreign = await send({ ...intent, actor: stranger }, key);
    expect(own.status).toBeLessThan(300);
    expect(foreign.headers.get('idempotency-replayed')).toBeNull();
    expect(foreign.body.id).not.toBe(own.body.id);
  });
});

/** What a client finds at first who repeats, with its key, a request whose process was killed. */
async function isInFlight(intent: Intent, key: string): Promise<void> {
  expect((await send(intent, key)).body.code).toBe('platform.idempotency.in_flight');
}

/** And what it finds once the key's lease is over. */
async function isDoneOnce(intent: Intent, key: string): Promise<void> {
  const answer = await send(intent, key);
  expect(answer.status).toBeLessThan(300);
  expect(await intent.effects()).toBe(1);
  const repeat = await send(intent, key);
  expect(repeat).toMatchObject({ status: answer.status, body: answer.body });
  expect(repeat.headers.get('idempotency-replayed')).toBe('true');
  expect(await intent.effects()).toBe(1);
}

/** Requests that a killed process leaves behind: each is held at its point until then. */
async function killAt(makes: readonly (() => Promise<Intent>)[], point: (intent: Intent) => Point) {
  const intents: Intent[] = [];
  for (const make of makes) intents.push(await make());
  const lost: { intent: Intent; key: string; answer: Promise<unknown> }[] = [];
  for (const intent of intents) {
    const key = newId('t');
    const caught = ledger.wire.catchNext(point(intent));
    lost.push({ intent, key, answer: send(intent, key).catch((error: unknown) => error) });
    await caught;
  }
  await ledger.kill();
  for (const { answer } of lost) expect(await answer).toBeInstanceOf(Error);
  return lost;
}

async function areDoneOnce(lost: readonly { intent: Intent; key: string }[]): Promise<void> {
  await ledger.keepIdempotencyLeases();
  await ledger.start();
  for (const { intent, key } of lost) await isInFlight(intent, key);
  await ledger.passIdempotencyLease();
  for (const { intent, key } of lost) await isDoneOnce(intent, key);
  await booksAddUp();
}

// Of those that change accounts no more than two at a time: no more groups of the ledger commit at once.
const names = Object.keys(INTENTS);
it.each([names.slice(0, 4), names.slice(4, 8), names.slice(8)].map((some) => ({ some })))(
  '$some are done once when the process is killed before they commit (promise 9)',
  async ({ some }) => {
    const lost = await killAt(
      some.map((name) => INTENTS[name]!),
      ({ collection }) => isCommitOf(collection),
    );
    for (const { intent } of lost) expect(await intent.effects()).toBe(0);
    await areDoneOnce(lost);
  },
);

// For the database the same as the next: the commit is done, and the process may have heard so or not.
it('redeeming a voucher is done once when the process is killed when it has committed (promise 9)', async () => {
  const [intent, key] = [await INTENTS['redeeming a voucher']!(), newId('t')];
  const caught = ledger.wire.catchNext(isCommitOf(intent.collection));
  const answer = send(intent, key).catch((error: unknown) => error);
  await (await caught).letGoUnanswered();
  await ledger.kill();
  expect(await answer).toBeInstanceOf(Error);
  expect(await intent.effects()).toBe(1);
  await areDoneOnce([{ intent, key }]);
});

it('all are done once when the process is killed before their answers are kept (promise 9)', async () => {
  const lost = await killAt(Object.values(INTENTS), () => isKeptAnswer);
  for (const { intent } of lost) expect(await intent.effects()).toBe(1);
  await areDoneOnce(lost);
});

it('takes one key of one caller for as many intents as there are routes (promise 10)', async () => {
  const key = newId('t');
  for (const name of ['creating a voucher', 'asking for an adjustment']) {
    const intent = await INTENTS[name]!();
    const { status, headers } = await send(intent, key);
    expect([status, headers.get('idempotency-replayed')]).toEqual([201, null]);
    expect(await intent.effects()).toBe(1);
  }
});

it('there is an intent here for every route that takes a key', async () => {
  const intents = await Promise.all(Object.values(INTENTS).map((make) => make()));
  const paths: Record<string, { post?: { parameters?: { name: string }[] } }> = (
    await ledger.request(admin, 'GET', '/openapi.json')
  ).body.paths;
  const takesKey = Object.entries(paths).filter(([, { post }]) =>
    post?.parameters?.some(({ name }) => name === 'Idempotency-Key'),
  );
  expect(intents.map(({ path }) => path.replace(/[a-z]{3}_\w+/, '{id}')).sort()).toEqual(
    takesKey.map(([path]) => path).sort(),
  );
});
