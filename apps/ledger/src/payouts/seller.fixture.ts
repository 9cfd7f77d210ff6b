import { Clock, exampleEnvelope, newId, type EventDefinition, type EventEnvelope } from '@atelier/kernel';
import { aService, aUser, startService, type ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseCompleted } from '@atelier/contracts/commerce/purchase.events';
import { SelfCheck } from '../audit/self-check.job.js';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { SANDBOX_CODE } from './providers/sandbox.provider.js';

const START = '2026-11-21T08:00:00Z';

/** Takes everything out of a ledger, so that the next test finds it as if it had just been started. */
export async function empty({ database, settled }: ServiceUnderTest): Promise<void> {
  await settled();
  const collections = await database.connection.db!.collections();
  const own = collections.filter(({ collectionName }) => !collectionName.startsWith('_'));
  await Promise.all(own.map((collection) => collection.deleteMany({})));
}

/** Until the self-check, which begins with the service and reads everything, has had its turn. */
export async function quiet({ app }: ServiceUnderTest): Promise<void> {
  const selfCheck = app.get(SelfCheck, { strict: false });
  // Nothing outside needs to know when a run ends, so this looks inside.
  await (selfCheck as unknown as { loop: { finished: Promise<void> } }).loop.finished;
}

/** A clock that stands still until it is told. */
export class TestClock extends Clock {
  time = new Date(START);
  now(): Date {
    return this.time;
  }
  pass(days: number): void {
    this.time = new Date(this.time.getTime() + days * 86_400_000);
  }
}

export type User = ReturnType<typeof aUser>;
/** An account that takes money, and one that does not (see the sandbox). */
export const IBAN = 'DE89370400440532013000';
export const bankAccount = (iban = IBAN) => ({ type: 'bank_account', holderName: 'Ada Lovelace', iban });
export const closedAccount = { type: 'paypal', email: 'ada-0000@example.com' };

const ENVIRONMENT = {
  // Payouts move when a test says so.
  PAYOUT_SWEEP_INTERVAL_MS: '600000',
  SELF_CHECK_INTERVAL_MS: '86400000',
  // Months pass by the clock of the test, and nobody is given anything for them.
  REGENERATION_INTERVAL_MS: '86400000',
  PAYOUT_METHOD_WAIT_SECONDS: '0',
  PAYOUT_CREDITS_MIN: '100',
  PAYOUT_MINOR_UNITS_PER_CREDIT: 'USD:3,JPY:4',
};

/** A ledger with sellers in it. */
export class Sellers {
  /** What came in from other services, in order. */
  readonly heard: EventEnvelope[] = [];
  /** Made before any fact that counts. */
  private emptiedAt = '';

  private constructor(
    readonly ledger: ServiceUnderTest,
    readonly clock: TestClock,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<Sellers> {
    const clock = new TestClock();
    const overrides = [{ provide: Clock, useValue: clock }];
    const ledger = await startService(LedgerModule, ledgerConfig, { ...ENVIRONMENT, ...env }, { overrides });
    return new Sellers(ledger, clock);
  }

  /** Makes one ledger serve many tests: nobody is in it any more, and the time is that of its start. */
  async empty(): Promise<void> {
    await empty(this.ledger);
    this.clock.time = new Date(START);
    this.emptiedAt = newId('evt');
  }

  /** What the ledger has stated since it was empty. */
  async facts<Data>(definition: EventDefinition<Data>): Promise<EventEnvelope<Data>[]> {
    return (await this.ledger.facts(definition)).filter(({ id }) => id > this.emptiedAt);
  }

  quiet(): Promise<void> {
    return quiet(this.ledger);
  }

  get<T>(type: abstract new (...args: never[]) => T): T {
    return this.ledger.app.get(type as never, { strict: false });
  }

  /** Somebody buys from the seller; answers the purchase. */
  async sell(seller: User, price: number, fee = 0): Promise<typeof PurchaseCompleted.example> {
    const buyer = aUser();
    const [paymentId, purchaseId, holdId] = [newId('pay'), newId('pur'), newId('hld')];
    const payment = { ...PaymentSucceeded.example, paymentId, userId: buyer.id, credits: price };
    await this.hear(exampleEnvelope(PaymentSucceeded, payment, { subject: paymentId }));
    const hold = { holdId, userId: buyer.id, amount: price, type: 'spend_marketplace', sourceId: purchaseId };
    await this.ledger.as(aService('commerce')).post('/internal/holds', hold);
    const purchase = {
      ...PurchaseCompleted.example,
      ...{ purchaseId, holdId, buyerId: buyer.id, sellerId: seller.id },
      ...{ priceCredits: price, platformFeeCredits: fee, sellerEarningsCredits: price - fee },
    };
    await this.hear(exampleEnvelope(PurchaseCompleted, purchase, { subject: purchaseId }));
    return purchase;
  }

  async hear(event: EventEnvelope): Promise<void> {
    this.heard.push(event);
    await this.ledger.publish(event);
  }

  /** A seller with matured sales and a verified method. */
  async seller(credits: number, account: object = bankAccount()): Promise<User> {
    const seller = aUser();
    await this.sell(seller, credits);
    this.clock.pass(14);
    await this.method(seller, account);
    return seller;
  }

  async method(user: User, account: object = bankAccount()): Promise<string> {
    const client = this.ledger.as(user);
    const { body } = await client.post('/api/v1/billing/payout-methods', { account });
    await client.post(`/api/v1/billing/payout-methods/${body.id}/verify`, { code: SANDBOX_CODE });
    return body.id as string;
  }

  /** Requests a payout; answers what the service did. */
  request(user: User, amountCredits: number, headers: Record<string, string> = {}) {
    const body = { amountCredits, currency: 'USD' };
    return this.ledger.as(user).post('/api/v1/billing/payout-requests', body, headers);
  }

  decide(id: string, decision: 'approve' | 'reject' | 'cancel', by: User = aUser('admin')) {
    const body = decision === 'reject' ? { reason: 'The sales are under review.' } : undefined;
    return this.ledger.as(by).post(`/api/v1/billing/payout-requests/${id}/${decision}`, body);
  }

  async payout(user: User, id: string) {
    return (await this.ledger.as(user).get(`/api/v1/billing/payout-requests/${id}`)).body;
  }

  async available(user: User): Promise<number> {
    return (await this.ledger.as(user).get('/api/v1/billing/credits')).body.available;
  }

  /** `account amount`, of all accounts of money. */
  async earnings(): Promise<string[]> {
    const rows = await this.ledger.database.connection.collection('earnings_balances').find().toArray();
    return rows.map(({ _id, settled }) => `${String(_id)} ${settled}`).sort();
  }

  async entries(causePrefix: string): Promise<number> {
    const causeId = { $gte: causePrefix, $lt: `${causePrefix}\uffff` };
    return this.ledger.database.connection.collection('journal_entries').countDocuments({ causeId });
  }

  async expectBooksToBalance(): Promise<void> {
    expect((await this.get(VerifyBooks).execute()).findings).toEqual([]);
  }
}
