import { jest } from '@jest/globals';
import { Clock, exampleEnvelope, newId, type Id } from '@atelier/kernel';
import { aService, aUser, aVisitor, eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { UserDeleted } from '@atelier/contracts/identity/user.events';
import { VoucherCreated, VoucherRedeemed, VoucherUpdated } from '@atelier/contracts/ledger/voucher.events';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { paidBack } from '../promises/facts.fixture.js';
import { VoucherRepository } from './voucher.repository.js';

const VOUCHERS = '/api/v1/billing/vouchers';
const admin = aUser('admin');
const HOUR_MS = 3_600_000;
/** The time, or one ahead of it. */
class ShiftedClock extends Clock {
  aheadMs = 0;
  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }
}
const clock = new ShiftedClock();
let ledger: ServiceUnderTest;
beforeAll(async () => {
  ledger = await startService(
    LedgerModule,
    ledgerConfig,
    {
      VOUCHER_SWEEP_INTERVAL_MS: '50',
      // Wide enough for the races below to reach the database side by side.
      MONGODB_POOL_MAX: '60',
    },
    { overrides: [{ provide: Clock, useValue: clock }] },
  );
});
afterAll(async () => {
  const { findings } = await ledger.app.get(VerifyBooks, { strict: false }).execute();
  await ledger.close();
  expect(findings).toEqual([]);
});
afterEach(() => {
  clock.aheadMs = 0;
});

let made = 0;
async function aVoucher(more: object = {}): Promise<{ id: string; code: string }> {
  const request = { code: `TEST-${++made}`, type: 'fixed_credits', value: 50, ...more };
  const { status, body } = await ledger.as(admin).post(VOUCHERS, request);
  expect(status).toBe(201);
  return body as { id: string; code: string };
}
type User = ReturnType<typeof aUser>;
const redeem = (user: User, code: string, headers: Record<string, string> = {}) =>
  ledger.as(user).post(`${VOUCHERS}/redeem`, { code }, headers);
const settled = async (user: User) =>
  (await ledger.as(user).get('/api/v1/billing/credits')).body.settled as number;
const redemptionsOf = async (user: User) =>
  (await ledger.as(user).get(`${VOUCHERS}/redemptions`)).body.items as Record<string, unknown>[];
const read = async (id: string) =>
  (await ledger.as(admin).get(`${VOUCHERS}/${id}`)).body as { status: string; currentUses: number };
const paid = (userId: Id<'usr'>, credits: number, succeededAt = new Date()) => {
  const paymentId = newId('pay');
  const data = {
    ...PaymentSucceeded.example,
    paymentId,
    userId,
    credits,
    succeededAt: succeededAt.toISOString(),
  };
  return exampleEnvelope(PaymentSucceeded, data, { subject: paymentId });
};

describe('redeeming', () => {
  it('grants fixed credits once, linked to the statement and the entry (R471, R478, R479, R481)', async () => {
    const [user, voucher] = [aUser(), await aVoucher()];
    const { status, body } = await redeem(user, ` ${voucher.code.toLowerCase()} `);
    expect(status).toBe(201);
    expect(body).toMatchObject({ code: voucher.code, status: 'granted', creditsGranted: 50 });
    const again = await redeem(user, voucher.code);
    expect([again.status, again.body.code]).toEqual([409, 'ledger.voucher.already_redeemed']);
    expect(await settled(user)).toBe(50);
    const lines = await ledger.as(user).get('/api/v1/billing/credit-transactions?type=earn_bonus');
    expect(lines.body.items).toMatchObject([{ amount: 50, sourceId: body.id }]);
    const journal = ledger.database.connection.collection<{ _id: string }>('journal_entries');
    expect(await journal.findOne({ _id: body.entryId as string })).toMatchObject({ sourceId: body.id });
    expect(await read(voucher.id)).toMatchObject({ currentUses: 1, status: 'active' });
    const facts = (await ledger.facts(VoucherRedeemed)).filter(({ data }) => data.userId === user.id);
    expect(facts.map(({ data }) => data.creditsGranted)).toEqual([50]);
  });

  it('answers the same redemption to a repeat with its key', async () => {
    const [user, voucher] = [aUser(), await aVoucher()];
    const key = { 'idempotency-key': newId('key') };
    const [first, repeat] = [await redeem(user, voucher.code, key), await redeem(user, voucher.code, key)];
    expect([first.status, repeat.status]).toEqual([201, 201]);
    expect(repeat.body).toEqual(first.body);
    expect(await settled(user)).toBe(50);
  });

  it('lets exactly 10 of 100 people who race use a voucher for 10, and is used up then (R472, R474)', async () => {
    const voucher = await aVoucher({ maxUses: 10 });
    const users = Array.from({ length: 100 }, () => aUser());
    const answers = await Promise.all(users.map((user) => redeem(user, voucher.code)));
    const codes = answers.map(({ status, body }) => (status === 201 ? 'redeemed' : (body.code as string)));
    const count = (code: string) => codes.filter((candidate) => candidate === code).length;
    expect([count('redeemed'), count('ledger.voucher.depleted')]).toEqual([10, 90]);
    expect(await read(voucher.id)).toMatchObject({ status: 'depleted', currentUses: 10 });
    const rows = ledger.database.connection.collection('voucher_redemptions');
    expect(await rows.countDocuments({ voucherId: voucher.id })).toBe(10);
    const balances = await Promise.all(users.map(settled));
    expect(balances.reduce((total, credits) => total + credits, 0)).toBe(500);
  });

  it('turns nobody away of 100 people who race for a voucher without a cap (R474)', async () => {
    const voucher = await aVoucher();
    const users = Array.from({ length: 100 }, () => aUser());
    const answers = await Promise.all(users.map((user) => redeem(user, voucher.code)));
    expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
    expect(await read(voucher.id)).toMatchObject({ status: 'active', currentUses: 100 });
  });

  it('lets one person who asks ten times at once use it once (R478)', async () => {
    const [user, voucher] = [aUser(), await aVoucher()];
    const answers = await Promise.all(Array.from({ length: 10 }, () => redeem(user, voucher.code)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await settled(user)).toBe(50);
    expect(await read(voucher.id)).toMatchObject({ currentUses: 1 });
  });

  it('tells who took the last use that it was they, and everybody else that it is used up (R472, R478)', async () => {
    const [user, voucher] = [aUser(), await aVoucher({ maxUses: 1 })];
    await redeem(user, voucher.code);
    expect((await redeem(user, voucher.code)).body.code).toBe('ledger.voucher.already_redeemed');
    expect((await redeem(aUser(), voucher.code)).body.code).toBe('ledger.voucher.depleted');
  });

  it('refuses unknown, disabled and expired codes, each by its own code, and changes nothing (R472)', async () => {
    const user = aUser();
    const codeOf = async (code: string) => {
      const { status, body } = await redeem(user, code);
      return [status, body.code as string];
    };
    expect(await codeOf('NOT-THERE')).toEqual([404, 'ledger.voucher.not_found']);
    const disabled = await aVoucher();
    await ledger.as(admin).post(`${VOUCHERS}/${disabled.id}/disable`);
    expect(await codeOf(disabled.code)).toEqual([409, 'ledger.voucher.inactive']);
    const expiring = await aVoucher({ expiresAt: new Date(Date.now() + HOUR_MS).toISOString() });
    clock.aheadMs = HOUR_MS;
    await eventually(async () => expect(await read(expiring.id)).toMatchObject({ status: 'expired' }));
    expect(await codeOf(expiring.code)).toEqual([410, 'ledger.voucher.expired']);
    expect((await redeem(user, '!')).status).toBe(400);
    expect(await settled(user)).toBe(0);
    expect(await redemptionsOf(user)).toEqual([]);
  });

  it('states a trial as a fact with its days, and grants no credits (R471)', async () => {
    const [user, voucher] = [aUser(), await aVoucher({ type: 'subscription_trial', value: 14 })];
    expect((await redeem(user, voucher.code)).body).toMatchObject({ creditsGranted: 0, entryId: null });
    const facts = (await ledger.facts(VoucherRedeemed)).filter(({ data }) => data.userId === user.id);
    expect(facts.map(({ data }) => [data.type, data.value])).toEqual([['subscription_trial', 14]]);
  });

  it("lists one's own redemptions in pages, and nobody else's", async () => {
    const user = aUser();
    for (let i = 0; i < 3; i++) await redeem(user, (await aVoucher()).code);
    const first = await ledger.as(user).get(`${VOUCHERS}/redemptions?limit=2`);
    const cursor = String(first.body.nextCursor);
    const second = await ledger.as(user).get(`${VOUCHERS}/redemptions?limit=2&cursor=${cursor}`);
    expect([first.body.items.length, second.body.items.length, second.body.nextCursor]).toEqual([2, 1, null]);
    expect(await redemptionsOf(aUser())).toEqual([]);
    expect((await ledger.as(aVisitor).post(`${VOUCHERS}/redeem`, { code: 'NOT-THERE' })).status).toBe(401);
    const { code } = await aVoucher();
    expect((await ledger.as(aService('studio')).post(`${VOUCHERS}/redeem`, { code })).status).toBe(403);
  });
});

describe('a percentage bonus', () => {
  it('waits for the next purchase of credits and is granted with it, once (R471, R479, R480)', async () => {
    const [user, voucher] = [aUser(), await aVoucher({ type: 'percentage_bonus', value: 15 })];
    expect((await redeem(user, voucher.code)).body).toMatchObject({ status: 'pending', creditsGranted: 0 });
    const payment = paid(user.id, 333);
    await ledger.redeliver(payment);
    await ledger.publish({ ...payment, id: newId('evt') }); // The same news in another event.
    expect(await settled(user)).toBe(333 + 49);
    await ledger.publish(paid(user.id, 1000));
    expect(await settled(user)).toBe(1333 + 49);
    const [redemption] = await redemptionsOf(user);
    expect(redemption).toMatchObject({ status: 'granted', creditsGranted: 49 });
    expect(redemption!['entryId']).toMatch(/^jrn_/);
  });

  it('is taken back with the purchase that it was of, once, and waits for no other (R253)', async () => {
    const [user, voucher] = [aUser(), await aVoucher({ type: 'percentage_bonus', value: 10 })];
    await redeem(user, voucher.code);
    const payment = paid(user.id, 100);
    // One after the other: the bonus goes with whichever is handled first.
    await ledger.publish(payment);
    await ledger.publish(paid(user.id, 7));
    expect(await settled(user)).toBe(117);
    await ledger.redeliver(paidBack(payment));
    await ledger.publish({ ...paidBack(payment), id: newId('evt') });
    expect(await settled(user)).toBe(7);
    await ledger.publish(paid(user.id, 100));
    expect(await settled(user)).toBe(107);
    expect(await redemptionsOf(user)).toMatchObject([{ status: 'granted', creditsGranted: 10 }]);
  });

  it('is not of a purchase that was paid before it, nor of a payment for something else', async () => {
    const [user, voucher] = [aUser(), await aVoucher({ type: 'percentage_bonus', value: 10 })];
    await redeem(user, voucher.code);
    await ledger.publish(paid(user.id, 100, new Date(Date.now() - 60_000)));
    const order = paid(user.id, 100);
    await ledger.publish({ ...order, data: { ...order.data, purpose: 'order', credits: undefined } });
    expect(await redemptionsOf(user)).toMatchObject([{ status: 'pending' }]);
  });

  it('of two that wait, the older one goes with the next purchase and the other with the one after', async () => {
    const user = aUser();
    for (const value of [10, 20])
      await redeem(user, (await aVoucher({ type: 'percentage_bonus', value })).code);
    const payment = paid(user.id, 100);
    await ledger.redeliver(payment);
    await ledger.publish({ ...payment, id: newId('evt') }); // The same news in another event.
    expect(await settled(user)).toBe(110);
    await ledger.redeliver(paid(user.id, 100));
    expect(await settled(user)).toBe(230);
    expect(await ledger.deadLetters()).toEqual([]);
  });
});

describe('a redemption', () => {
  it('that is granted is never changed: not by repeats, payments, its voucher or an erasure (R480)', async () => {
    const user = aUser();
    const vouchers = [await aVoucher(), await aVoucher({ type: 'percentage_bonus', value: 10 })];
    for (const { code } of vouchers) await redeem(user, code, { 'idempotency-key': code });
    const payment = paid(user.id, 100);
    await ledger.publish(payment);
    const rows = () =>
      ledger.database.connection
        .collection('voucher_redemptions')
        .find({ userId: user.id }, { raw: true })
        .sort({ _id: 1 })
        .toArray();
    const granted = await rows();
    expect((await redemptionsOf(user)).map(({ status }) => status)).toEqual(['granted', 'granted']);

    for (const { id, code } of vouchers) {
      await redeem(user, code, { 'idempotency-key': code });
      await redeem(user, code);
      await ledger.as(admin).post(`${VOUCHERS}/${id}/disable`);
    }
    await ledger.redeliver(payment);
    await ledger.publish({ ...payment, id: newId('evt') }, paid(user.id, 200));
    const erased = { userId: user.id, deletedAt: new Date().toISOString(), deletedBy: user.id };
    await ledger.publish(exampleEnvelope(UserDeleted, erased, { subject: user.id }));
    expect(await rows()).toEqual(granted);
    expect(await ledger.deadLetters()).toEqual([]);
  });
});

describe('admins', () => {
  it('make, list, turn off and turn on vouchers, and each step is a fact (R472, R475)', async () => {
    const metadata = { campaign: 'spring', budget: 100, paid: true };
    const { id, code } = await aVoucher({ metadata, maxUses: 5 });
    expect(await read(id)).toMatchObject({ metadata, maxUses: 5, createdById: admin.id });
    const change = async (verb: string) =>
      (await ledger.as(admin).post(`${VOUCHERS}/${id}/${verb}`)).body.status as string;
    expect([await change('disable'), await change('disable'), await change('enable')]).toEqual([
      'inactive',
      'inactive',
      'active',
    ]);
    const of = ({ data }: { data: { voucherId: string } }) => data.voucherId === id;
    expect((await ledger.facts(VoucherCreated)).filter(of)).toMatchObject([
      { data: { code, actorId: admin.id } },
    ]);
    expect((await ledger.facts(VoucherUpdated)).filter(of).map(({ data }) => data.status)).toEqual([
      'inactive',
      'active',
    ]);
    const page = await ledger.as(admin).get(`${VOUCHERS}?status=active&limit=1`);
    expect(page.body).toMatchObject({ items: [{ id }], nextCursor: expect.any(String) as string });
    await redeem(aUser(), code);
    const rest = await ledger
      .as(admin)
      .get(`${VOUCHERS}?status=active&limit=1&cursor=${String(page.body.nextCursor)}`);
    expect(rest.body.items[0].id).not.toBe(id);
  });

  it('turn off a voucher that is used all the time, also at other replicas', async () => {
    const { id } = await aVoucher();
    const vouchers = ledger.app.get(VoucherRepository, { strict: false });
    const load = vouchers.loadAcrossOwners.bind(vouchers);
    const rows = ledger.database.connection.collection<{ _id: string }>('vouchers');
    const busy = jest.spyOn(vouchers, 'loadAcrossOwners');
    for (let uses = 0; uses < 3; uses++) {
      busy.mockImplementationOnce(async (...asked) => {
        const voucher = await load(...asked);
        // As a use at another replica changes it.
        await rows.updateOne({ _id: id }, { $inc: { version: 1, currentUses: 1 } });
        return voucher;
      });
    }
    const { status, body } = await ledger.as(admin).post(`${VOUCHERS}/${id}/disable`);
    busy.mockRestore();
    expect([status, body.status]).toEqual([200, 'inactive']);
    expect(await read(id)).toMatchObject({ status: 'inactive', currentUses: 3 });
  });

  it('cannot make two of one code, whatever its case (R473)', async () => {
    const { code } = await aVoucher();
    const request = { code: code.toLowerCase(), type: 'fixed_credits', value: 1 };
    const { status, body } = await ledger.as(admin).post(VOUCHERS, request);
    expect([status, body.code]).toEqual([409, 'ledger.voucher.code_taken']);
  });

  it('turn vouchers off instead of deleting them, used or not (R477)', async () => {
    const [unused, used, user] = [await aVoucher(), await aVoucher(), aUser()];
    expect((await redeem(user, used.code)).status).toBe(201);
    for (const { id } of [unused, used]) {
      expect((await ledger.as(admin).delete(`${VOUCHERS}/${id}`)).status).toBe(405);
      expect(await read(id)).toMatchObject({ status: 'active' });
      expect((await ledger.as(admin).post(`${VOUCHERS}/${id}/disable`)).status).toBe(200);
      expect(await read(id)).toMatchObject({ status: 'inactive' });
    }
    expect(await redemptionsOf(user)).toHaveLength(1);
  });

  it('are the only ones: people and services are refused', async () => {
    const { id } = await aVoucher();
    for (const actor of [aUser(), aUser('moderator'), aService('commerce')]) {
      const request = { code: 'MINE-1', type: 'fixed_credits', value: 1 };
      expect((await ledger.as(actor).post(VOUCHERS, request)).status).toBe(403);
      expect((await ledger.as(actor).get(VOUCHERS)).status).toBe(403);
      expect((await ledger.as(actor).get(`${VOUCHERS}/${id}`)).status).toBe(403);
      expect((await ledger.as(actor).post(`${VOUCHERS}/${id}/disable`)).status).toBe(403);
    }
  });
});
