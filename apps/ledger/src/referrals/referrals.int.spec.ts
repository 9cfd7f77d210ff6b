import { jest } from '@jest/globals';
import { exampleEnvelope, newId, type Context, type Id } from '@atelier/kernel';
import { aContext, aUser, aVisitor, startService, type ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import { ReferralCompleted } from '@atelier/contracts/ledger/referral.events';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { NotePayment } from './note-payment.usecase.js';
import { NoteRegistration } from './note-registration.usecase.js';
import { PersonRepository } from './person.repository.js';

const GRANT = 100;
let ledger: ServiceUnderTest;
beforeAll(async () => {
  ledger = await startService(LedgerModule, ledgerConfig, {
    STARTER_GRANT_CREDITS: '0',
    REFERRAL_GRANT_CREDITS: String(GRANT),
  });
});
afterAll(() => ledger.close());
afterEach(async () => {
  expect((await ledger.app.get(VerifyBooks, { strict: false }).execute()).findings).toEqual([]);
  expect(await ledger.deadLetters()).toEqual([]);
});

type User = ReturnType<typeof aUser>;
/** Handles a fact in a transaction of its own, as its consumer does. */
const note = <Fact>(
  type: abstract new (...args: never[]) => { execute(fact: Fact, context: Context): Promise<void> },
  fact: Fact,
) => {
  const useCase = ledger.app.get<{ execute(fact: Fact, context: Context): Promise<void> }>(type, {
    strict: false,
  });
  return ledger.database.transaction(() => useCase.execute(fact, aContext()));
};
const codeOf = (user: User) => user.id.slice(-10).toUpperCase();
const registered = (user: User, more: { referralCode?: string; ipAddressHash?: string } = {}) => {
  const own = { userId: user.id, ownReferralCode: codeOf(user), ipAddressHash: `from-${user.id}` };
  return exampleEnvelope(
    UserRegistered,
    { ...UserRegistered.example, ...own, ...more },
    { subject: user.id },
  );
};
const paid = (userId: Id<'usr'>) => {
  const { credits: _, creditPackageId: __, ...order } = PaymentSucceeded.example;
  const paymentId = newId('pay');
  const data = { ...order, purpose: 'order' as const, paymentId, userId };
  return exampleEnvelope(PaymentSucceeded, data, { subject: paymentId });
};
const referralsOf = async (user: User, query = '') =>
  (await ledger.as(user).get(`/api/v1/billing/referrals${query}`)).body as {
    code: string | null;
    totals: Record<string, number>;
    items: { status: string; creditsGranted: number }[];
    nextCursor: string | null;
  };
const settled = async (user: User) =>
  (await ledger.as(user).get('/api/v1/billing/credits')).body.settled as number;
const factsOf = async (user: User) =>
  (await ledger.facts(ReferralCompleted)).filter(({ data }) => data.refereeId === user.id);

describe('a referral', () => {
  it("pays the referrer on the referee's first payment, and only then, once (R484, R485)", async () => {
    const [ada, bob] = [aUser(), aUser()];
    await ledger.redeliver(registered(ada));
    await ledger.redeliver(registered(bob, { referralCode: codeOf(ada).toLowerCase() }));
    expect(await referralsOf(ada)).toMatchObject({
      code: codeOf(ada),
      totals: { pending: 1, completed: 0, creditsGranted: 0 },
      items: [{ status: 'pending', creditsGranted: 0 }],
    });
    expect(await settled(ada)).toBe(0);
    const [first, second] = [paid(bob.id), paid(bob.id)];
    await ledger.redeliver(first);
    await ledger.redeliver(second);
    const people = ledger.database.connection.collection<{ _id: string }>('referral_people');
    expect(await people.findOne({ _id: bob.id })).toMatchObject({ firstPaymentId: first.subject });
    expect(await settled(ada)).toBe(GRANT);
    expect(await settled(bob)).toBe(0);
    expect(await referralsOf(ada)).toMatchObject({
      totals: { pending: 0, completed: 1, invalid: 0, creditsGranted: GRANT },
      items: [{ status: 'completed', creditsGranted: GRANT }],
    });
    expect((await factsOf(bob)).map(({ data }) => [data.referrerId, data.creditsGranted])).toEqual([
      [ada.id, GRANT],
    ]);
  });

  const [registersReferrer, registersReferee, pays] = [0, 1, 2];
  it.each([
    [[registersReferrer, registersReferee, pays]],
    [[registersReferrer, pays, registersReferee]],
    [[registersReferee, registersReferrer, pays]],
    [[registersReferee, pays, registersReferrer]],
    [[pays, registersReferrer, registersReferee]],
    [[pays, registersReferee, registersReferrer]],
  ])('is paid once whatever the order of its facts: %j', async (order) => {
    const [ada, bob] = [aUser(), aUser()];
    const facts = [registered(ada), registered(bob, { referralCode: codeOf(ada) }), paid(bob.id)];
    for (const index of order) await ledger.redeliver(facts[index]!);
    expect(await settled(ada)).toBe(GRANT);
    expect(await factsOf(bob)).toHaveLength(1);
  });

  it.each(['registers', 'pays'])(
    'is not lost when the referee %s while the registration of the referrer is handled',
    async (does) => {
      const [ada, bob] = [aUser(), aUser()];
      const registration = registered(bob, { referralCode: codeOf(ada) }).data;
      if (does === 'pays') await note(NoteRegistration, registration);
      const people = ledger.app.get(PersonRepository, { strict: false });
      const lookUp = people.byOwnCode.bind(people);
      let began: () => void;
      const referrer = new Promise<void>((resolve) => (began = resolve)).then(() =>
        note(NoteRegistration, registered(ada).data),
      );
      // The first time, all of it happens between the look for the owner of the code and the commit.
      const spy = jest.spyOn(people, 'byOwnCode').mockImplementationOnce(async (code) => {
        const owner = await lookUp(code);
        began();
        await referrer;
        return owner;
      });
      await (does === 'pays' ? note(NotePayment, paid(bob.id).data) : note(NoteRegistration, registration));
      spy.mockRestore();
      const totals = does === 'pays' ? { completed: 1, creditsGranted: GRANT } : { pending: 1 };
      expect((await referralsOf(ada)).totals).toMatchObject(totals);
    },
  );

  it('from the address of the referrer is invalid and never pays (R484, R486)', async () => {
    const [ada, bob] = [aUser(), aUser()];
    await ledger.publish(registered(ada, { ipAddressHash: 'one-home' }));
    await ledger.publish(registered(bob, { referralCode: codeOf(ada), ipAddressHash: 'one-home' }));
    await ledger.redeliver(paid(bob.id));
    expect(await settled(ada)).toBe(0);
    expect(await referralsOf(ada)).toMatchObject({ totals: { pending: 0, invalid: 1 } });
    const rows = ledger.database.connection.collection('referrals');
    expect(await rows.findOne({ refereeId: bob.id })).toMatchObject({
      invalidReason: 'same_address',
      ipAddressHash: 'one-home',
    });
  });

  it('is one per referee, however often and with whatever code the registration is told (R487)', async () => {
    const [ada, eve, bob] = [aUser(), aUser(), aUser()];
    await ledger.publish(registered(ada), registered(eve));
    await ledger.publish(registered(bob, { referralCode: codeOf(ada) }));
    await ledger.publish(registered(bob, { referralCode: codeOf(eve) }));
    await ledger.publish(paid(bob.id));
    expect([await settled(ada), await settled(eve)]).toEqual([GRANT, 0]);
    const rows = ledger.database.connection.collection('referrals');
    expect(await rows.countDocuments({ refereeId: bob.id })).toBe(1);
    const row = await rows.findOne({ refereeId: bob.id });
    await expect(rows.insertOne({ ...row!, _id: 'ref_2' as never, referrerId: eve.id })).rejects.toThrow();
  });

  it('of an unknown code or of oneself is none', async () => {
    const [ada, bob] = [aUser(), aUser()];
    await ledger.publish(
      registered(ada, { referralCode: 'NOBODYS' }),
      registered(bob, { referralCode: codeOf(bob) }),
    );
    await ledger.publish(paid(ada.id), paid(bob.id));
    expect([await settled(ada), await settled(bob)]).toEqual([0, 0]);
    expect(await factsOf(bob)).toEqual([]);
  });
});

describe('the list of referrals', () => {
  it("comes in pages, shows one's own only, and does not tell who the referees are", async () => {
    const ada = aUser();
    await ledger.publish(registered(ada));
    for (let i = 0; i < 3; i++) await ledger.publish(registered(aUser(), { referralCode: codeOf(ada) }));
    const first = await referralsOf(ada, '?limit=2');
    const second = await referralsOf(ada, `?limit=2&cursor=${first.nextCursor}`);
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 1, null]);
    expect(Object.keys(first.items[0]!).sort()).toEqual([
      'completedAt',
      'createdAt',
      'creditsGranted',
      'id',
      'status',
    ]);
    expect(await referralsOf(aUser())).toMatchObject({ code: null, items: [] });
    expect((await ledger.as(aVisitor).get('/api/v1/billing/referrals')).status).toBe(401);
  });
});
