import { exampleEnvelope, newId } from '@atelier/kernel';
import { aService, aUser, startService, type ServiceUnderTest } from '@atelier/testing';
import {
  AdjustmentApproved,
  AdjustmentRejected,
  AdjustmentRequested,
} from '@atelier/contracts/ledger/adjustment.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';

const ADJUSTMENTS = '/api/v1/billing/adjustments';
const REASON = 'The support granted it by mistake.';
const [asker, other, third] = [aUser('admin'), aUser('admin'), aUser('super_admin')];
let ledger: ServiceUnderTest;
beforeAll(async () => {
  ledger = await startService(LedgerModule, ledgerConfig, { STARTER_GRANT_CREDITS: '50' });
});
afterAll(() => ledger.close());
afterEach(async () => {
  expect((await ledger.app.get(VerifyBooks, { strict: false }).execute()).findings).toEqual([]);
});

type User = ReturnType<typeof aUser>;
async function aPerson(user = aUser()): Promise<User> {
  const data = { ...UserRegistered.example, userId: user.id };
  await ledger.publish(exampleEnvelope(UserRegistered, data, { subject: user.id }));
  return user;
}
async function ask(user: User, amount: number, more: object = {}): Promise<string> {
  const request = { userId: user.id, amount, reason: REASON, ...more };
  const { status, body } = await ledger.as(asker).post(ADJUSTMENTS, request);
  expect([status, body.status]).toEqual([201, 'pending']);
  return body.id as string;
}
const approve = (by: User, id: string) => ledger.as(by).post(`${ADJUSTMENTS}/${id}/approve`);
const reject = (by: User, id: string) =>
  ledger.as(by).post(`${ADJUSTMENTS}/${id}/reject`, { reason: REASON });
const creditsOf = async (user: User) =>
  (await ledger.as(user).get('/api/v1/billing/credits')).body as unknown;
const balance = (settled: number, held = 0) => ({ settled, held, available: settled - held });

describe('an adjustment', () => {
  it.each([
    [30, 'earn_admin_adjustment', 80],
    [-30, 'spend_admin_adjustment', 20],
  ])(
    'of %i is posted as %s when a second admin approves it, once (R511, R542)',
    async (amount, type, after) => {
      const user = await aPerson();
      const id = await ask(user, amount);
      expect(await creditsOf(user)).toEqual(balance(50));
      const { status, body } = await approve(other, id);
      expect([status, body]).toMatchObject([
        200,
        { status: 'approved', requestedById: asker.id, decidedById: other.id },
      ]);
      expect(await creditsOf(user)).toEqual(balance(after));
      const again = await approve(third, id);
      expect([again.status, again.body.code]).toEqual([409, 'ledger.adjustment.decided']);
      const lines = await ledger.as(user).get(`/api/v1/billing/credit-transactions?type=${type}`);
      expect(lines.body.items).toMatchObject([{ amount, balanceAfter: after, sourceId: id }]);
      const of = ({ data }: { data: { adjustmentId: string } }) => data.adjustmentId === id;
      expect((await ledger.facts(AdjustmentRequested)).filter(of)).toMatchObject([
        { actor: `user:${asker.id}`, data: { amount, reason: REASON } },
      ]);
      expect((await ledger.facts(AdjustmentApproved)).filter(of)).toMatchObject([
        { actor: `user:${other.id}`, data: { approvedById: other.id, entryId: body.entryId as string } },
      ]);
    },
  );

  it('cannot be approved by who asked for it, nor by who gets it', async () => {
    const user = await aPerson(aUser('admin'));
    const id = await ask(user, 30);
    for (const admin of [asker, user]) {
      const { status, body } = await approve(admin, id);
      expect([status, body.code]).toEqual([403, 'ledger.adjustment.same_person']);
    }
    expect(await creditsOf(user)).toEqual(balance(50));
  });

  it('that is rejected posts nothing, keeps who and why, and stays so (R542)', async () => {
    const user = await aPerson();
    const id = await ask(user, 30);
    expect((await reject(other, id)).body).toMatchObject({ status: 'rejected', rejectionReason: REASON });
    expect((await approve(third, id)).status).toBe(409);
    expect((await reject(other, id)).status).toBe(409);
    expect(await creditsOf(user)).toEqual(balance(50));
    const facts = (await ledger.facts(AdjustmentRejected)).filter(({ data }) => data.adjustmentId === id);
    expect(facts.map(({ data }) => data.rejectedById)).toEqual([other.id]);
  });

  it('takes no more than is available: what is held stays safe', async () => {
    const user = await aPerson();
    const hold = {
      holdId: newId('hld'),
      userId: user.id,
      amount: 20,
      type: 'spend_enhancement',
      sourceId: 'job_1',
    };
    expect((await ledger.as(aService('studio')).post('/internal/holds', hold)).status).toBe(201);
    const id = await ask(user, -31);
    const { status, body } = await approve(other, id);
    expect([status, body]).toMatchObject([
      409,
      { code: 'ledger.adjustment.overdrawn', available: 30, required: 31 },
    ]);
    expect(await creditsOf(user)).toEqual(balance(50, 20));
    expect((await ledger.as(other).get(`${ADJUSTMENTS}/${id}`)).body).toMatchObject({ status: 'pending' });
    expect((await approve(other, await ask(user, -30))).status).toBe(200);
    expect(await creditsOf(user)).toEqual(balance(20, 20));
  });

  it('goes below zero only when it was asked for so', async () => {
    const user = await aPerson();
    expect((await approve(other, await ask(user, -60, { allowNegative: true }))).status).toBe(200);
    expect(await creditsOf(user)).toEqual(balance(-10));
  });

  it('is decided once when many admins decide at the same time', async () => {
    const user = await aPerson();
    const id = await ask(user, 30);
    const admins = Array.from({ length: 8 }, () => aUser('admin'));
    const answers = await Promise.all(
      admins.map((admin, index) => (index % 2 ? approve(admin, id) : reject(admin, id))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409, 409, 409]);
    const { body } = await ledger.as(asker).get(`${ADJUSTMENTS}/${id}`);
    expect(await creditsOf(user)).toEqual(balance(body.status === 'approved' ? 80 : 50));
  });

  it('is not asked for twice by a repeat with its key, nor for an account that is not there', async () => {
    const user = await aPerson();
    const request = { userId: user.id, amount: 5, reason: REASON };
    const key = { 'idempotency-key': newId('key') };
    const first = await ledger.as(asker).post(ADJUSTMENTS, request, key);
    expect((await ledger.as(asker).post(ADJUSTMENTS, request, key)).body).toEqual(first.body);
    const list = await ledger.as(asker).get(`${ADJUSTMENTS}?userId=${user.id}`);
    expect(list.body.items).toHaveLength(1);
    const nobody = await ledger.as(asker).post(ADJUSTMENTS, { ...request, userId: newId('usr') });
    expect([nobody.status, nobody.body.code]).toEqual([422, 'ledger.adjustment.no_account']);
  });
});

describe('the list of adjustments', () => {
  it('comes in pages, newest first, by status and by user', async () => {
    const user = await aPerson();
    const ids = [await ask(user, 1), await ask(user, 2), await ask(user, 3)];
    await reject(other, ids[1]!);
    const idsOf = async (query: string) => {
      const { body } = await ledger.as(other).get(`${ADJUSTMENTS}?userId=${user.id}&${query}`);
      return { ids: (body.items as { id: string }[]).map(({ id }) => id), next: body.nextCursor as string };
    };
    expect((await idsOf('status=pending')).ids).toEqual([ids[2], ids[0]]);
    const first = await idsOf('limit=2');
    expect([first.ids, (await idsOf(`limit=2&cursor=${first.next}`)).ids]).toEqual([
      [ids[2], ids[1]],
      [ids[0]],
    ]);
  });

  it('is for admins only, and so is all the rest', async () => {
    const id = await ask(await aPerson(), 1);
    for (const actor of [aUser(), aUser('moderator'), aService('commerce')]) {
      const calls = [
        ledger.as(actor).get(ADJUSTMENTS),
        ledger.as(actor).get(`${ADJUSTMENTS}/${id}`),
        ledger.as(actor).post(ADJUSTMENTS, { userId: newId('usr'), amount: 1, reason: REASON }),
        ledger.as(actor).post(`${ADJUSTMENTS}/${id}/approve`),
      ];
      expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    }
    expect((await ledger.as(other).get(`${ADJUSTMENTS}/${newId('adj')}`)).status).toBe(404);
  });
});
