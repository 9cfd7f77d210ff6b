import fc from 'fast-check';
import { aService } from '@atelier/testing';
import { holdFor, jobEnded, paid, paidBack, refunded, registered, sold } from '../promises/facts.fixture.js';
import {
  available,
  capture,
  end,
  expire,
  feeOf,
  FIXED,
  open,
  pay,
  payBack,
  payable,
  refund,
  regenerate,
  sellerOf,
  STARTER,
  use,
  type Model,
  type ModelHold,
  type Tier,
  type VoucherKind,
} from './credits-model.fixture.js';
import type { LedgerSystem } from './system.fixture.js';

type Command = fc.AsyncCommand<Model, LedgerSystem>;
type Step = (model: Model, system: LedgerSystem) => Promise<void>;

export const USERS = 3;
const BILLING = '/api/v1/billing';
const SECOND_MS = 1_000;
const commerce = aService('commerce');
const studio = aService('studio');

/** Does a step a second after the one before, then compares everybody's credits with the model's. */
function command(name: string, step: Step, isPossible: (model: Model) => boolean = () => true): Command {
  return {
    check: isPossible,
    run: async (model, system) => {
      await pass(model, system, SECOND_MS);
      await step(model, system);
      for (const [index, user] of system.users.entries()) {
        const { body } = await system.ledger.request(user, 'GET', `${BILLING}/credits`);
        const { settled, held } = model.accounts[index]!;
        expect({ user: index, ...body }).toEqual({ user: index, settled, held, available: settled - held });
      }
    },
    toString: () => name,
  };
}
async function pass(model: Model, { ledger }: LedgerSystem, ms: number): Promise<void> {
  model.now = new Date(model.now.getTime() + ms);
  await ledger.setTime(model.now);
}

const user = fc.nat({ max: USERS - 1 });
const amount = fc.integer({ min: 1, max: 300 });
/** One of those that are there when the command runs. */
const which = fc.nat({ max: 1_000 });
const holdAt = ({ holds }: Model, at: number): ModelHold => holds[at % holds.length]!;
const someHold = ({ holds }: Model) => holds.length > 0;

const register = user.map((index) =>
  command(`register(${index})`, async (model, system) => {
    await system.tell(registered(system.users[index]!.id));
    const account = open(model, index);
    if (!account.isRegistered) account.settled += STARTER;
    account.isRegistered = true;
  }),
);

const buyCredits = fc.tuple(user, amount).map(([index, credits]) =>
  command(`buyCredits(${index}, ${credits})`, async (model, system) => {
    const fact = paid(system.users[index]!.id, credits, model.now);
    await system.tell(fact);
    pay(model, index, credits, fact);
  }),
);

const refundPayment = which.map((at) =>
  command(
    `refundPayment(${at})`,
    async (model, system) => {
      const payment = model.payments[at % model.payments.length]!;
      await system.tell(paidBack(payment.fact));
      payBack(model, payment);
    },
    ({ payments }) => payments.length > 0,
  ),
);

const hold = fc
  .tuple(user, amount, fc.constantFrom('pur' as const, 'job' as const), fc.integer({ min: 1, max: 30 }))
  .map(([index, credits, kind, minutes]) =>
    command(`hold(${index}, ${credits}, ${kind}, ${minutes} min)`, async (model, system) => {
      const request = holdFor(kind, system.users[index]!.id, credits, minutes * 60);
      const service = kind === 'pur' ? commerce : studio;
      const { status } = await system.post(service, '/internal/holds', request);
      const account = model.accounts[index]!;
      const isCovered = available(account) >= credits;
      expect(status).toBe(isCovered ? 201 : 402);
      if (!isCovered) return;
      account.held += credits;
      const expiresAt = new Date(model.now.getTime() + minutes * 60 * SECOND_MS);
      model.holds.push({ request, kind, user: index, expiresAt, status: 'held', isRefunded: false });
    }),
  );

/** The purchase is completed; or the job ends: `part` of 4 quarters are charged, 0 is a failure. */
const finish = fc.tuple(which, fc.nat({ max: 4 })).map(([at, part]) =>
  command(
    `finish(${at}, ${part}/4)`,
    async (model, system) => {
      const found = holdAt(model, at);
      const { kind, request } = found;
      if (kind === 'pur') {
        await system.tell(sold(request as never, system.users[sellerOf(model, found)]!.id, feeOf(found)));
        capture(model, found, request.amount);
        return;
      }
      const charged = Math.ceil((request.amount * part) / 4);
      await system.tell(jobEnded(request as never, charged));
      if (charged > 0) capture(model, found, charged);
      else end(model, found, 'released');
    },
    someHold,
  ),
);

const release = which.map((at) =>
  command(
    `release(${at})`,
    async (model, system) => {
      const found = holdAt(model, at);
      const path = `/internal/holds/${found.request.holdId}/release`;
      const { status, body } = await system.post(commerce, path, { reason: 'canceled' });
      end(model, found, 'released');
      expect([status, body.status]).toEqual([200, found.status]);
    },
    someHold,
  ),
);

const isSold = ({ kind, status }: ModelHold) => kind === 'pur' && status === 'captured';
const refundSale = which.map((at) =>
  command(
    `refund(${at})`,
    async (model, system) => {
      const sales = model.holds.filter(isSold);
      const sale = sales[at % sales.length]!;
      const seller = system.users[sellerOf(model, sale)]!.id;
      await system.tell(refunded(sale.request as never, seller, feeOf(sale)));
      refund(model, sale);
    },
    ({ holds }) => holds.some(isSold),
  ),
);

const wait = fc.integer({ min: 1, max: 40 }).map((minutes) =>
  command(`wait(${minutes} min)`, async (model, system) => {
    await pass(model, system, minutes * 60 * SECOND_MS);
    await system.reliably(() => system.ledger.ask('expireHolds'));
    expire(model);
  }),
);

const nextMonth = fc.integer({ min: 1, max: 3 }).map((months) =>
  command(`nextMonth(${months})`, async (model, system) => {
    const { now } = model;
    const turn = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1);
    await pass(model, system, turn - now.getTime());
    // A killed sweep keeps its shard until its lease is over.
    if (system.killAfterMs !== undefined) {
      await system.reliably(() => system.ledger.ask('regenerate'));
      await pass(model, system, SECOND_MS);
    }
    await system.ledger.ask('regenerate');
    regenerate(model);
  }),
);

const setTier = fc
  .tuple(user, fc.constantFrom<Tier>('basic', 'basic', 'standard', 'premium', 'free'))
  .map(([index, tier]) =>
    command(`setTier(${index}, ${tier})`, async (model, system) => {
      const path = `/internal/accounts/${system.users[index]!.id}/tier`;
      await system.reliably(() => system.ledger.request(commerce, 'PUT', path, { tier }));
      open(model, index).tier = tier;
    }),
  );

const redeem = fc.tuple(user, fc.constantFrom<VoucherKind>('fixed', 'bonus')).map(([index, kind]) =>
  command(`redeem(${index}, ${kind})`, async (model, system) => {
    const code = system.vouchers[kind];
    const { status } = await system.post(system.users[index]!, `${BILLING}/vouchers/redeem`, { code });
    const { redeemed } = model.accounts[index]!;
    const isUsable = !redeemed.has(kind) && (kind === 'bonus' || model.fixedUsesLeft > 0);
    expect(status).toBe(isUsable ? 201 : 409);
    if (!isUsable) return;
    redeemed.add(kind);
    if (kind === 'bonus') {
      model.accounts[index]!.isBonusWaiting = true;
      return;
    }
    model.fixedUsesLeft--;
    open(model, index).settled += FIXED.value;
  }),
);

const adjust = fc.tuple(user, amount, fc.boolean()).map(([index, credits, isGift]) =>
  command(`adjust(${index}, ${isGift ? '+' : '-'}${credits})`, async (model, system) => {
    const account = model.accounts[index]!;
    const [first, second] = system.admins;
    const signed = isGift ? credits : -credits;
    const request = { userId: system.users[index]!.id, amount: signed, reason: 'Agreed with support.' };
    const asked = await system.post(first, `${BILLING}/adjustments`, request);
    expect(asked.status).toBe(account.isOpen ? 201 : 422);
    if (!account.isOpen) return;
    const path = `${BILLING}/adjustments/${String(asked.body.id)}`;
    const isCovered = isGift || available(account) >= credits;
    await system.post(second, `${path}/approve`);
    const { body } = await system.ledger.request(first, 'GET', path);
    expect(body.status).toBe(isCovered ? 'approved' : 'pending');
    if (isGift) account.settled += credits;
    else if (isCovered) use(account, credits);
  }),
);

const askForPayout = fc.tuple(user, amount).map(([index, credits]) =>
  command(`askForPayout(${index}, ${credits})`, async (model, system) => {
    const account = model.accounts[index]!;
    const request = { amountCredits: credits, currency: 'USD' };
    const { status, body } = await system.post(system.users[index]!, `${BILLING}/payout-requests`, request);
    const isCovered = !account.payout && payable(account) >= credits;
    expect(status === 201).toBe(isCovered);
    expect(status).toBeLessThan(500);
    if (!isCovered) return;
    account.settled -= credits;
    account.paidOut += credits;
    account.payout = { id: body.id as string, credits };
  }),
);

const decideOnPayout = fc
  .tuple(user, fc.constantFrom('approve' as const, 'reject' as const, 'cancel' as const))
  .map(([index, decision]) =>
    command(
      `${decision}Payout(${index})`,
      async (model, system) => {
        const account = model.accounts[index]!;
        const { id, credits } = account.payout!;
        const actor = decision === 'cancel' ? system.users[index]! : system.admins[0];
        const body = decision === 'reject' ? { reason: 'Under review.' } : undefined;
        await system.post(actor, `${BILLING}/payout-requests/${id}/${decision}`, body);
        if (decision === 'approve') await system.ledger.ask('payOut');
        const ends = {
          approve: index === USERS - 1 ? 'failed' : 'paid',
          reject: 'rejected',
          cancel: 'canceled',
        };
        const read = await system.ledger.request(
          system.users[index]!,
          'GET',
          `${BILLING}/payout-requests/${id}`,
        );
        expect(read.body.status).toBe(ends[decision]);
        delete account.payout;
        if (ends[decision] === 'paid') return;
        account.settled += credits;
        account.paidOut -= credits;
      },
      ({ accounts }) => accounts[index]!.payout !== undefined,
    ),
  );

/** The broker delivers something again, twice. */
const redeliver = fc.array(which, { minLength: 1, maxLength: 3 }).map((ats) =>
  command(`redeliver(${ats.join(', ')})`, async (_, { told, ledger }) => {
    if (told.length === 0) return;
    const again = ats.map((at) => told[at % told.length]!);
    await ledger.ask('publish', [...again, ...again]);
  }),
);

const crash = fc.nat({ max: 60 }).map((ms) =>
  command(`crashIn(${ms} ms)`, async (_, system) => {
    system.killAfterMs = ms;
  }),
);

const often = <T>(times: number, ...of: T[]): T[] => Array.from({ length: times }, () => of).flat();

/** Others need credits, holds or sales to mean anything; a crash takes as long as twenty others. */
export const COMMANDS: fc.Arbitrary<Command>[] = [
  ...often(6, buyCredits, hold, finish),
  ...often(4, refundSale, nextMonth, askForPayout),
  ...often(2, refundPayment, setTier, redeem, adjust, decideOnPayout, redeliver),
  ...[register, release, wait, crash],
];
