import { exampleEnvelope, newId, type Id } from '@atelier/kernel';
import { aService, aUser, recordQueries, startService } from '@atelier/testing';
import type { RecordedQueries, ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { UserDeleted, UserRegistered } from '@atelier/contracts/identity/user.events';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { RegenerateAccount } from '../regeneration/regenerate-account.usecase.js';

const BILLING = '/api/v1/billing';
const [admin, studio] = [aUser('admin'), aService('studio')];
const GRANT = 50;
const HELD = 20;

type User = ReturnType<typeof aUser>;
let ledger: ServiceUnderTest;
let queries: RecordedQueries;
beforeAll(async () => {
  ledger = await startService(LedgerModule, ledgerConfig, { STARTER_GRANT_CREDITS: String(GRANT) });
  queries = recordQueries(ledger.database);
});
afterAll(() => ledger.close());
afterEach(async () => {
  expect((await verified()).findings).toEqual([]);
  expect(await ledger.deadLetters()).toEqual([]);
});

const verified = () => ledger.app.get(VerifyBooks, { strict: false }).execute();
const rows = (collection: string, filter: object) =>
  ledger.database.connection.collection(collection).find(filter).sort({ _id: 1 }).toArray();
const registered = (user: User, referralCode?: string) => {
  const own = { userId: user.id, ownReferralCode: codeOf(user), ipAddressHash: `from-${user.id}` };
  const data = { ...UserRegistered.example, ...own, ...(referralCode ? { referralCode } : {}) };
  return exampleEnvelope(UserRegistered, data, { subject: user.id });
};
const codeOf = ({ id }: User) => id.slice(-10).toUpperCase();
const deleted = ({ id }: User) => {
  const data = { userId: id, deletedAt: '2026-11-21T10:00:00.000Z', deletedBy: id };
  return exampleEnvelope(UserDeleted, data, { subject: id });
};
const paid = (userId: Id<'usr'>, credits: number) => {
  const paymentId = newId('pay');
  const data = { ...PaymentSucceeded.example, paymentId, userId, credits };
  return exampleEnvelope(PaymentSucceeded, data, { subject: paymentId });
};
const holdOf = ({ id }: User) => ({
  holdId: newId('hld'),
  userId: id,
  amount: HELD,
  type: 'spend_enhancement',
  sourceId: newId('job'),
});
const place = (hold: object) => ledger.as(studio).post('/internal/holds', hold);
const creditsOf = async (user: User) => (await ledger.as(user).get(`${BILLING}/credits`)).body as unknown;
async function aVoucher(): Promise<string> {
  const voucher = { code: newId('t').slice(-12), type: 'fixed_credits', value: 30 };
  return (await ledger.as(admin).post(`${BILLING}/vouchers`, voucher)).body.code as string;
}
const redeem = (user: User, code: string) => ledger.as(user).post(`${BILLING}/vouchers/redeem`, { code });

describe('after a person was deleted', () => {
  it('the books say what they said, under an id that is a tombstone (R232, R238, R239, R248, R476)', async () => {
    const user = aUser();
    await ledger.publish(registered(user), paid(user.id, 100));
    expect((await redeem(user, await aVoucher())).status).toBe(201);
    const kept = () =>
      Promise.all([
        rows('journal_entries', { 'links.account': `user:${user.id}` }),
        rows('credit_transactions', { userId: user.id }),
        rows('voucher_redemptions', { userId: user.id }),
      ]);
    const before = await kept();
    expect(before.map((found) => found.length)).toEqual([3, 3, 1]);
    const { entries, accounts, platform } = await verified();
    await ledger.redeliver(deleted(user));
    expect(await kept()).toEqual(before);
    expect(await verified()).toEqual({ entries, accounts, platform, findings: [] });
    expect(await creditsOf(user)).toEqual({ settled: 180, held: 0, available: 180 });
  });

  it('the balance is marked once, whoever tells it again (R232)', async () => {
    const user = aUser();
    await ledger.publish(registered(user));
    await ledger.redeliver(deleted(user));
    const [balance] = await rows('credit_balances', { _id: user.id });
    expect(balance).toMatchObject({ erasedAt: new Date('2026-11-21T10:00:00.000Z'), settled: GRANT });
    await ledger.publish({ ...deleted(user), id: newId('evt') });
    expect(await rows('credit_balances', { _id: user.id })).toEqual([balance]);
  });

  it('nothing new begins: no hold, no voucher, nothing that the person could still ask for', async () => {
    const [user, code] = [aUser(), await aVoucher()];
    await ledger.publish(registered(user));
    await ledger.publish(deleted(user));
    const paypal = { account: { type: 'paypal', email: 'ada@example.org' } };
    const answers = [
      await place(holdOf(user)),
      await redeem(user, code),
      await ledger.as(user).post(`${BILLING}/payout-methods`, paypal),
      await ledger.as(user).post(`${BILLING}/payout-requests`, { amountCredits: 10, currency: 'USD' }),
    ];
    for (const { status, body } of answers)
      expect([status, body.code]).toEqual([410, 'ledger.account.erased']);
    expect(await creditsOf(user)).toEqual({ settled: GRANT, held: 0, available: GRANT });
    expect(await rows('payout_methods', { userId: user.id })).toEqual([]);
    const other = aUser();
    await ledger.publish(registered(other));
    expect((await place(holdOf(other))).status).toBe(201);
    expect((await redeem(other, code)).status).toBe(201);
  });

  it('holds that were open end as they would have, and what was paid for is still booked', async () => {
    const user = aUser();
    await ledger.publish(registered(user));
    const [done, given] = [holdOf(user), holdOf(user)];
    for (const hold of [done, given]) expect((await place(hold)).status).toBe(201);
    await ledger.publish(deleted(user));
    const { holdId, sourceId: jobId } = done;
    const job = {
      ...JobFinished.example,
      ...{ jobId, holdId, userId: user.id },
      outcome: 'completed' as const,
    };
    const charged = { chargedCredits: HELD, costCredits: HELD };
    await ledger.publish(exampleEnvelope(JobFinished, { ...job, ...charged }, { subject: jobId }));
    const release = await ledger
      .as(studio)
      .post(`/internal/holds/${given.holdId}/release`, { reason: 'failed' });
    expect([release.status, release.body.status]).toEqual([200, 'released']);
    await ledger.publish(paid(user.id, 100));
    const settled = GRANT - HELD + 100;
    expect(await creditsOf(user)).toEqual({ settled, held: 0, available: settled });
  });

  it('no month is regenerated any more (R232)', async () => {
    const [gone, stays] = [aUser(), aUser()];
    await ledger.publish(registered(gone), registered(stays));
    await ledger.publish(deleted(gone));
    const regenerate = ledger.app.get(RegenerateAccount, { strict: false });
    const context = { actor: studio, correlationId: newId('req'), causationId: newId('req') };
    expect(await regenerate.execute(stays.id, '2099-01', context)).not.toEqual([]);
    expect(await regenerate.execute(gone.id, '2099-01', context)).toEqual([]);
  });

  it('an account that the ledger has not heard of is closed, and still takes the facts that come later', async () => {
    const user = aUser();
    await ledger.publish(deleted(user));
    await ledger.publish(registered(user));
    expect(await creditsOf(user)).toEqual({ settled: GRANT, held: 0, available: GRANT });
    expect((await place(holdOf(user))).body.code).toBe('ledger.account.erased');
  });
});

it('nobody asks for a change by hand of the credits of a deleted person (R232)', async () => {
  const user = aUser();
  await ledger.publish(registered(user), deleted(user));
  const body = { userId: user.id, amount: 5, reason: 'Agreed with support.' };
  const answer = await ledger.as(aUser('admin')).post(`${BILLING}/adjustments`, body);
  expect([answer.status, answer.body.code]).toEqual([410, 'ledger.account.erased']);
});

describe('the personal data of a deleted person', () => {
  it('goes from their referral, which stays and is paid for when it was earned (R483)', async () => {
    const [ada, bob] = [aUser(), aUser()];
    await ledger.publish(registered(ada));
    await ledger.publish(registered(bob, codeOf(ada)));
    await ledger.redeliver(deleted(bob));
    const referral = { referrerId: ada.id, refereeId: bob.id };
    const [pending] = await rows('referrals', referral);
    expect(pending).toMatchObject({ status: 'pending' });
    expect(JSON.stringify([pending, await rows('referral_people', { _id: bob.id })])).not.toContain('from-');
    await ledger.publish(paid(bob.id, 10));
    expect(await rows('referrals', referral)).toMatchObject([{ status: 'completed' }]);
  });

  it('goes from the code that brought others, whose referrals stay (R482)', async () => {
    const [ada, bob, eve] = [aUser(), aUser(), aUser()];
    await ledger.publish(registered(ada));
    await ledger.publish(registered(bob, codeOf(ada)));
    await ledger.redeliver(deleted(ada));
    expect(await rows('referral_people', { _id: ada.id })).toEqual([{ _id: ada.id }]);
    expect(await rows('referrals', { referrerId: ada.id })).toMatchObject([
      { refereeId: bob.id, ipAddressHash: `from-${bob.id}` },
    ]);
    await ledger.publish(registered(eve, codeOf(ada)));
    expect(await rows('referrals', { refereeId: eve.id })).toEqual([]);
  });

  it('goes from payout methods, which are out of use for good', async () => {
    const user = aUser();
    const account = { type: 'paypal', email: 'ada.lovelace@example.org' };
    const added = await ledger.as(user).post(`${BILLING}/payout-methods`, { account, isDefault: true });
    expect(added.status).toBe(201);
    await ledger.redeliver(deleted(user));
    const gone = { status: 'disabled', isDefault: false, providerAccountId: 'erased', display: 'erased' };
    expect(await rows('payout_methods', { userId: user.id })).toMatchObject([
      { _id: added.body.id, ...gone },
    ]);
  });
});

it('erasing reads no collection whole', async () => {
  const user = aUser();
  await ledger.publish(registered(user));
  await ledger.redeliver(deleted(user));
  // The audit reads these whole on purpose, and runs beside.
  const except = ['journal_entries', 'credit_balances', 'earnings_balances', 'self_check_findings'];
  await queries.expectEveryQueryToUseAnIndex({ except });
});
