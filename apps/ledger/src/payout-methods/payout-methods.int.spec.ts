import { jest } from '@jest/globals';
import { newId, VersionConflict } from '@atelier/kernel';
import { aService, aUser, aVisitor, recordQueries } from '@atelier/testing';
import { bankAccount, IBAN, Sellers } from '../payouts/seller.fixture.js';
import { SANDBOX_CODE } from '../payouts/providers/sandbox.provider.js';
import { ChooseDefault } from './choose-default.usecase.js';

const METHODS = '/api/v1/billing/payout-methods';
const paypal = { type: 'paypal', email: 'ada@example.com' };
let sellers: Sellers;
const start = () => Sellers.start({ PAYOUT_METHOD_WAIT_SECONDS: '86400', PAYOUT_METHODS_PER_USER_MAX: '3' });
beforeAll(async () => {
  sellers = await start();
});
beforeEach(() => sellers.empty());
afterAll(() => sellers.ledger.close());

const add = (user: ReturnType<typeof aUser>, body: object, headers = {}) =>
  sellers.ledger.as(user).post(METHODS, body, headers);
const verify = (user: ReturnType<typeof aUser>, id: string, code: string) =>
  sellers.ledger.as(user).post(`${METHODS}/${id}/verify`, { code });
const defaults = async (user: ReturnType<typeof aUser>) => {
  const { body } = await sellers.ledger.as(user).get(METHODS);
  return (body.items as { id: string; isDefault: boolean }[])
    .filter(({ isDefault }) => isDefault)
    .map(({ id }) => id);
};

describe('payout methods', () => {
  it('are verified by a code, and active a day later (R44)', async () => {
    const ada = aUser();
    const { status, body } = await add(ada, { account: bankAccount() });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^pym_/),
      ...{ type: 'bank_account', provider: 'sandbox', display: '•••• 3000', isDefault: true },
      ...{
        status: 'pending',
        createdAt: sellers.clock.now().toISOString(),
        verifiedAt: null,
        activeFrom: null,
      },
    });
    const verifiedAt = sellers.clock.now().toISOString();
    expect((await verify(ada, body.id, SANDBOX_CODE)).body).toMatchObject({ status: 'verified', verifiedAt });
    await sellers.sell(ada, 500);
    sellers.clock.pass(0.9);
    expect((await sellers.request(ada, 100)).body).toMatchObject({
      code: 'ledger.payout_method.not_active',
      status: 422,
    });
    sellers.clock.pass(0.2);
    expect((await sellers.ledger.as(ada).get(`${METHODS}/${body.id}`)).body.status).toBe('active');
    expect((await verify(ada, body.id, SANDBOX_CODE)).body.code).toBe('ledger.payout_method.not_pending');
  });

  it('cannot be guessed: wrong codes are counted, and five disable', async () => {
    const ada = aUser();
    const { id } = (await add(ada, { account: paypal })).body;
    const left = [];
    for (let count = 0; count < 5; count++) left.push((await verify(ada, id, '000000')).body.triesLeft);
    expect(left).toEqual([4, 3, 2, 1, 0]);
    expect((await verify(ada, id, SANDBOX_CODE)).body.code).toBe('ledger.payout_method.not_pending');
    expect(await defaults(ada)).toEqual([]);
  });

  it('have one default at most, however many are made it at once (R43)', async () => {
    const ada = aUser();
    const ids: string[] = [];
    for (const account of [bankAccount(), paypal, { type: 'stripe_express', accountId: 'acct_1A2b3C4d' }])
      ids.push((await add(ada, { account })).body.id as string);
    expect(await defaults(ada)).toEqual([ids[0]]);
    const { body } = await sellers.ledger.as(ada).patch(`${METHODS}/${ids[1]}`, { isDefault: true });
    expect(body).toMatchObject({ id: ids[1], isDefault: true });
    expect(await defaults(ada)).toEqual([ids[1]]);
    await Promise.all(
      ids.flatMap((id) =>
        [1, 2].map(() => sellers.ledger.as(ada).patch(`${METHODS}/${id}`, { isDefault: true })),
      ),
    );
    expect(await defaults(ada)).toHaveLength(1);
    const indexes = await sellers.ledger.database.connection.collection('payout_methods').indexes();
    expect(indexes.filter(({ name }) => name !== '_id_')).toHaveLength(2);
  });

  it('are deleted by being disabled, which can be repeated', async () => {
    const ada = aUser();
    const { id } = (await add(ada, { account: paypal })).body;
    expect((await sellers.ledger.as(ada).delete(`${METHODS}/${id}`)).status).toBe(204);
    expect((await sellers.ledger.as(ada).delete(`${METHODS}/${id}`)).status).toBe(204);
    expect((await sellers.ledger.as(ada).get(`${METHODS}/${id}`)).body).toMatchObject({ status: 'disabled' });
    const patch = await sellers.ledger.as(ada).patch(`${METHODS}/${id}`, { isDefault: true });
    expect(patch.body.code).toBe('ledger.payout_method.disabled');
    expect((await add(ada, { account: paypal })).body.isDefault).toBe(true);
  });

  it('are limited in number, and the same key adds one', async () => {
    const ada = aUser();
    const key = { 'idempotency-key': newId('key') };
    const [first, again] = [
      await add(ada, { account: paypal }, key),
      await add(ada, { account: paypal }, key),
    ];
    expect(again.body).toEqual(first.body);
    for (let count = 0; count < 2; count++) await add(ada, { account: paypal });
    expect((await add(ada, { account: paypal })).body).toMatchObject({
      status: 409,
      code: 'ledger.payout_method.too_many',
    });
  });

  it('are limited also when they are deleted in between, for as long as the window, and when all come at once', async () => {
    const ada = aUser();
    for (let count = 0; count < 3; count++) {
      const { id } = (await add(ada, { account: paypal })).body;
      await sellers.ledger.as(ada).delete(`${METHODS}/${id}`);
    }
    expect((await add(ada, { account: paypal })).body.code).toBe('ledger.payout_method.too_many');
    sellers.clock.pass(29);
    expect((await add(ada, { account: paypal })).status).toBe(409);
    sellers.clock.pass(1.1);
    const answers = await Promise.all(Array.from({ length: 10 }, () => add(ada, { account: paypal })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(await defaults(ada)).toHaveLength(1);
  });

  it('are added once also when another one became the default at the same time', async () => {
    const ada = aUser();
    jest
      .spyOn(sellers.get(ChooseDefault), 'execute')
      .mockRejectedValueOnce(new VersionConflict('payout_methods', 'pym_other'));
    const { status, body } = await add(ada, { account: paypal });
    expect(status).toBe(201);
    const { items } = (await sellers.ledger.as(ada).get(METHODS)).body;
    expect(items).toMatchObject([{ id: body.id, isDefault: true }]);
  });

  it.each([
    ['a mistyped IBAN', bankAccount('DE89370400440532013001')],
    ['no IBAN', { type: 'bank_account', holderName: 'Ada' }],
    ['an unknown type', { type: 'cash' }],
    ['an unknown field', { ...paypal, note: 'x' }],
    ['no account of Stripe', { type: 'stripe_express', accountId: '1' }],
  ])('refuse %s', async (_, account) => {
    expect((await add(aUser(), { account })).status).toBe(400);
  });

  it("keep no number, and are nobody's but their owner's", async () => {
    const ada = aUser();
    const { id } = (await add(ada, { account: bankAccount() })).body;
    const rows = await sellers.ledger.database.connection.collection('payout_methods').find().toArray();
    expect(JSON.stringify(rows)).not.toContain(IBAN.slice(-8));
    const bob = sellers.ledger.as(aUser());
    expect((await bob.get(`${METHODS}/${id}`)).status).toBe(404);
    expect((await bob.post(`${METHODS}/${id}/verify`, { code: SANDBOX_CODE })).status).toBe(404);
    expect((await bob.patch(`${METHODS}/${id}`, { isDefault: true })).status).toBe(404);
    expect((await bob.delete(`${METHODS}/${id}`)).status).toBe(404);
    expect((await bob.get(METHODS)).body.items).toEqual([]);
    expect((await sellers.ledger.as(aVisitor).get(METHODS)).status).toBe(401);
    expect((await sellers.ledger.as(aService('studio')).get(METHODS)).status).toBe(403);
  });

  it('come in pages, each query by an index (R42)', async () => {
    const ada = aUser();
    // On a database of its own: what was filled and emptied often is known to be small, and read whole.
    await sellers.ledger.close();
    sellers = await start();
    await sellers.quiet();
    const queries = recordQueries(sellers.ledger.database);
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      sellers.clock.pass(1);
      ids.unshift((await add(ada, { account: paypal })).body.id as string);
    }
    const first = (await sellers.ledger.as(ada).get(`${METHODS}?limit=2`)).body;
    const second = (await sellers.ledger.as(ada).get(`${METHODS}?limit=2&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...second.items].map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
    await queries.expectEveryQueryToUseAnIndex();
  });
});
