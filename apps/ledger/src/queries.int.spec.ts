import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Clock, exampleEnvelope, newId, type Actor } from '@atelier/kernel';
import { OpenApiDocument } from '@atelier/service';
import {
  aDatabaseName,
  aService,
  aUser,
  eventually,
  openDatabase,
  recordQueries,
  startService,
  type Answer,
  type RecordedQueries,
  type ServiceUnderTest,
} from '@atelier/testing';
import { PaymentFailed, PaymentRefunded, PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseFailed } from '@atelier/contracts/commerce/purchase.events';
import { UserDeleted, UserRegistered } from '@atelier/contracts/identity/user.events';
import { AccountRepository } from './accounts/account.repository.js';
import { StatementRepository } from './accounts/statement.repository.js';
import { AccountHistory } from './audit/account-history.js';
import { Explain } from './audit/explain.usecase.js';
import { RebuildAccount } from './audit/rebuild-account.usecase.js';
import { RebuildEarnings } from './audit/rebuild-earnings.usecase.js';
import { explain, rebuild, regenerate } from './cli/commands.js';
import type { Books } from './cli/open-books.js';
import type { Terminal } from './cli/text.js';
import { EarningsRepository } from './earnings/earnings.repository.js';
import { HoldRepository } from './holds/hold.repository.js';
import { JournalRepository } from './journal/journal.repository.js';
import { BegunMonth } from './regeneration/begun-month.js';
import { RegenerateAccount } from './regeneration/regenerate-account.usecase.js';
import { RegenerateShard } from './regeneration/regenerate-shard.usecase.js';
import { RegenerationShardRepository } from './regeneration/regeneration-shard.repository.js';
import { ledgerConfig } from './ledger.config.js';
import { LedgerModule } from './ledger.module.js';
import { SANDBOX_CODE } from './payouts/providers/sandbox.provider.js';
import { holdFor, jobEnded, paid, refunded, sold } from './promises/facts.fixture.js';

/** Everything that the ledger asks its database, with nothing left out: a new route or reaction fails here first. */
const SWEEP_MS = '50';
const BILLING = '/api/v1/billing';
const SOURCES = join(process.cwd(), 'apps/ledger/src');
const [commerce, admin, second] = [aService('commerce'), aUser('admin'), aUser('admin')];
const [user, seller, referee, leaver] = [aUser(), aUser(), aUser(), aUser()];
let ledger: ServiceUnderTest;
let queries: RecordedQueries;
beforeAll(async () => {
  const name = await aDatabaseThatWasSummedUp();
  ledger = await startService(LedgerModule, ledgerConfig, {
    MONGODB_DATABASE: name,
    EARNINGS_MATURE_DAYS: '0',
    PAYOUT_CREDITS_MIN: '1',
    PAYOUT_METHOD_WAIT_SECONDS: '0',
    PAYOUT_ACCOUNT_KEY: Buffer.alloc(32, 7).toString('base64'),
    HOLD_SWEEP_INTERVAL_MS: SWEEP_MS,
    VOUCHER_SWEEP_INTERVAL_MS: SWEEP_MS,
    PAYOUT_SWEEP_INTERVAL_MS: SWEEP_MS,
    PAYOUT_POLL_INTERVAL_MS: SWEEP_MS,
    REGENERATION_INTERVAL_MS: SWEEP_MS,
    SELF_CHECK_INTERVAL_MS: SWEEP_MS,
  });
  await callListsOfAll();
  queries = recordQueries(ledger.database);
});
afterAll(() => ledger.close());

/** The sum of all books reads all of them, on purpose: once an hour, and so not while this looks. */
async function aDatabaseThatWasSummedUp(): Promise<string> {
  const name = aDatabaseName('ledger');
  const { database, close } = await openDatabase({ database: 'ledger', name }, () => undefined);
  const progress = database.connection.collection('self_check_progress');
  await progress.insertOne({ _id: 'sum' as never, summedAt: new Date() });
  await close();
  return name;
}

const called = new Set<string>();
/** Calls a route. It must get as far as its use case; what that says is the business of other specs. */
async function call(actor: Actor, method: string, path: string, body?: unknown): Promise<Answer['body']> {
  const [bare = '', query = ''] = path.split('?');
  const ids: string[] = [];
  const template = bare.replace(/<([^>]+)>/g, (_, id: string) => `{${ids.push(id)}}`);
  const url = bare.replace(/[<>]/g, '') + (query && `?${query}`);
  const client = ledger.as(actor);
  const keyed = { 'idempotency-key': newId('t') };
  const send = {
    GET: () => client.get(url),
    POST: () => client.post(url, body, keyed),
    PUT: () => client.put(url, body),
    PATCH: () => client.patch(url, body),
    DELETE: () => client.delete(url),
  }[method]!;
  const answer = await send();
  const reached = answer.status < 500 && ![400, 401, 403, 405, 415].includes(answer.status);
  expect([method, url, answer.status, reached ? 'reached' : answer.body]).toEqual([
    method,
    url,
    answer.status,
    'reached',
  ]);
  called.add(`${method} ${template.replace(/\{\d+\}/g, '{}')}`);
  return answer.body;
}

/**
 * Not recorded: a list of everything has no filter. MongoDB walks the index that it is sorted by; the embedded
 * database sorts, and calls that reading the collection.
 */
async function callListsOfAll(): Promise<void> {
  const lists = { vouchers: 'vouchers', adjustments: 'credit_adjustments' };
  for (const [path, collection] of Object.entries(lists)) {
    await call(admin, 'GET', `${BILLING}/${path}?limit=1`);
    const indexes = await ledger.database.connection.collection(collection).indexes();
    expect(indexes.map(({ key }) => key)).toContainEqual({ createdAt: -1, _id: -1 });
  }
}

async function callRoutes(): Promise<void> {
  const hold = holdFor('pur', user.id, 300);
  await call(commerce, 'POST', '/internal/holds', hold);
  await ledger.publish(sold(hold, seller.id, 60));
  await call(commerce, 'GET', `/internal/holds/<${hold.holdId}>`);
  const open = holdFor('job', user.id, 10, 600);
  await call(commerce, 'POST', '/internal/holds', open);
  const expiresAt = new Date(Date.now() + 1_200_000).toISOString();
  await call(commerce, 'POST', `/internal/holds/<${open.holdId}>/extend`, { expiresAt });
  await call(user, 'GET', `${BILLING}/holds?limit=1`);
  await call(commerce, 'POST', `/internal/holds/<${open.holdId}>/release`, { reason: 'failed' });
  await call(commerce, 'POST', '/internal/holds', holdFor('job', user.id, 10, 1));
  await call(commerce, 'PUT', `/internal/accounts/<${user.id}>/tier`, { tier: 'basic' });

  await call(user, 'GET', `${BILLING}/credits`);
  await call(user, 'GET', `${BILLING}/credits?at=2026-01-01T00:00:00Z`);
  const time = 'from=2026-01-01T00:00:00Z&to=2126-01-01T00:00:00Z';
  for (const query of [
    'limit=1',
    `${time}&limit=1`,
    'type=earn_bonus',
    `type=earn_bonus&type=earn_sale&${time}`,
    'format=csv',
  ]) {
    const page = await call(user, 'GET', `${BILLING}/credit-transactions?${query}`);
    if (page.nextCursor)
      await call(user, 'GET', `${BILLING}/credit-transactions?${query}&cursor=${String(page.nextCursor)}`);
  }

  const code = 'QUERIES-1';
  const voucher = await call(admin, 'POST', `${BILLING}/vouchers`, {
    code,
    type: 'fixed_credits',
    value: 5,
    maxUses: 9,
  });
  await call(admin, 'POST', `${BILLING}/vouchers`, {
    code: 'QUERIES-2',
    type: 'percentage_bonus',
    value: 50,
  });
  await call(admin, 'POST', `${BILLING}/vouchers`, {
    code: 'LATER',
    type: 'fixed_credits',
    value: 5,
    expiresAt,
  });
  const vouchers = ledger.database.connection.collection('vouchers');
  await vouchers.updateOne({ code: 'LATER' }, { $set: { expiresAt: new Date(0) }, $inc: { version: 1 } });
  await call(admin, 'GET', `${BILLING}/vouchers?status=active`);
  await call(admin, 'GET', `${BILLING}/vouchers/<${voucher.id}>`);
  await call(user, 'POST', `${BILLING}/vouchers/redeem`, { code });
  await call(user, 'POST', `${BILLING}/vouchers/redeem`, { code: 'QUERIES-2' });
  await call(user, 'GET', `${BILLING}/vouchers/redemptions?limit=1`);
  for (const to of ['disable', 'enable'])
    await call(admin, 'POST', `${BILLING}/vouchers/<${voucher.id}>/${to}`);
  await call(user, 'GET', `${BILLING}/referrals`);

  const adjustment = { userId: user.id, amount: 5, reason: 'Agreed with support.' };
  const approved = await call(admin, 'POST', `${BILLING}/adjustments`, adjustment);
  const rejected = await call(admin, 'POST', `${BILLING}/adjustments`, adjustment);
  await call(second, 'POST', `${BILLING}/adjustments/<${approved.id}>/approve`);
  await call(second, 'POST', `${BILLING}/adjustments/<${rejected.id}>/reject`, {
    reason: 'Asked for twice.',
  });
  await call(admin, 'GET', `${BILLING}/adjustments/<${approved.id}>`);
  for (const query of ['status=approved', `userId=${user.id}`, `userId=${user.id}&status=pending`]) {
    await call(admin, 'GET', `${BILLING}/adjustments?${query}`);
  }
  await callMoneyRoutes();
}

async function callMoneyRoutes(): Promise<void> {
  const bank = { type: 'bank_account', holderName: 'Ada', iban: 'DE89370400440532013000' };
  const toBank = await call(seller, 'POST', `${BILLING}/payout-methods`, { account: bank });
  const paypal = { type: 'paypal', email: 'ada@example.org' };
  const method = await call(seller, 'POST', `${BILLING}/payout-methods`, { account: paypal });
  await call(seller, 'GET', `${BILLING}/payout-methods?limit=1`);
  await call(seller, 'GET', `${BILLING}/payout-methods/<${method.id}>`);
  await call(seller, 'POST', `${BILLING}/payout-methods/<${method.id}>/verify`, { code: SANDBOX_CODE });
  await call(seller, 'PATCH', `${BILLING}/payout-methods/<${method.id}>`, { isDefault: true });
  await call(seller, 'GET', `${BILLING}/earnings`);

  const payouts = `${BILLING}/payout-requests`;
  const ask = () => call(seller, 'POST', payouts, { amountCredits: 10, currency: 'USD' });
  await call(seller, 'POST', `${payouts}/<${(await ask()).id}>/cancel`);
  await call(admin, 'POST', `${payouts}/<${(await ask()).id}>/reject`, { reason: 'Under review.' });
  const { id } = await ask();
  await call(admin, 'POST', `${payouts}/<${id}>/approve`);
  await eventually(async () => expect((await call(seller, 'GET', `${payouts}/<${id}>`)).status).toBe('paid'));
  await call(seller, 'GET', `${payouts}?limit=1`);
  for (const query of ['limit=1', 'status=paid']) await call(admin, 'GET', `${payouts}/queue?${query}`);

  const file = await call(admin, 'POST', `${payouts}/bank-files`);
  const csv = String(await call(admin, 'GET', `${payouts}/bank-files/<${file.id}>`));
  const transfer = /[a-z]+_[0-9a-z_:]{10,}/.exec(csv)?.[0] ?? toBank.id;
  await call(admin, 'POST', `${payouts}/bank-transfers/<${transfer}>/confirm`, { outcome: 'paid' });
  await call(seller, 'DELETE', `${BILLING}/payout-methods/<${toBank.id}>`);

  for (const query of ['limit=1', 'type=purchase', 'status=completed']) {
    await call(user, 'GET', `${BILLING}/transactions?${query}`);
  }
  await call(seller, 'GET', `${BILLING}/tax-reports?limit=1`);
  for (const format of ['json', 'csv']) {
    await call(seller, 'GET', `${BILLING}/tax-reports/<${new Date().getUTCFullYear()}>?format=${format}`);
  }
}

async function tellEverything(): Promise<void> {
  const codes = { ownReferralCode: 'QUERIES', ipAddressHash: 'a' };
  for (const person of [user, leaver]) {
    const data = { ...UserRegistered.example, ...codes, ownReferralCode: person.id, userId: person.id };
    await ledger.publish(exampleEnvelope(UserRegistered, data, { subject: person.id }));
  }
  const came = { ...UserRegistered.example, userId: referee.id, referralCode: user.id, ipAddressHash: 'b' };
  await ledger.publish(exampleEnvelope(UserRegistered, came, { subject: referee.id }));
  await ledger.publish(paid(referee.id, 100), paid(user.id, 1_000));
  const hold = holdFor('pur', user.id, 100);
  await ledger.as(commerce).post('/internal/holds', hold);
  await ledger.publish(sold(hold, seller.id, 20));
  await ledger.publish(refunded(hold, seller.id, 20));
  for (const charged of [0, 5]) {
    const job = holdFor('job', user.id, 10);
    await ledger.as(commerce).post('/internal/holds', job);
    await ledger.publish(jobEnded(job, charged));
  }
  const failed = holdFor('pur', user.id, 10);
  await ledger.as(commerce).post('/internal/holds', failed);
  const failure = { ...PurchaseFailed.example, purchaseId: failed.sourceId, holdId: failed.holdId };
  await ledger.publish(exampleEnvelope(PurchaseFailed, failure, { subject: failed.sourceId }));
  const payment = { ...PaymentSucceeded.example, userId: user.id, paymentId: newId('pay') };
  await ledger.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
  await ledger.publish(
    exampleEnvelope(
      PaymentRefunded,
      { ...PaymentRefunded.example, ...payment },
      { subject: payment.paymentId, version: 2 },
    ),
    exampleEnvelope(PaymentFailed, { ...PaymentFailed.example, userId: user.id, paymentId: newId('pay') }),
  );
  const deletion = { ...UserDeleted.example, userId: leaver.id, deletedBy: leaver.id };
  await ledger.publish(exampleEnvelope(UserDeleted, deletion, { subject: leaver.id, version: 2 }));
}

/** An account that missed its month: or the sweep would find nobody that is due. */
async function missMonth(userId: string): Promise<void> {
  const lastRegeneratedAt = new Date(Date.now() - 40 * 86_400_000);
  const { connection } = ledger.database;
  await connection
    .collection('credit_balances')
    .updateOne({ _id: userId as never }, { $set: { lastRegeneratedAt }, $inc: { version: 1 } });
  const shards = connection.collection('regeneration_shards');
  await eventually(async () =>
    expect(await shards.countDocuments({ finishedAt: { $ne: null } })).toBeGreaterThan(0),
  );
}

/** What operators do; `verify` is not among it, since it sums all of the books up. */
async function runCommands(): Promise<void> {
  const use = <T>(type: abstract new (...args: never[]) => T): T =>
    ledger.app.get(type as never, { strict: false });
  const { database } = ledger;
  const [accounts, statements, holds] = [
    use(AccountRepository),
    use(StatementRepository),
    use(HoldRepository),
  ];
  const [journal, earnings, history] = [use(JournalRepository), use(EarningsRepository), use(AccountHistory)];
  const clock = use(Clock);
  const books = {
    ...{ accounts, earnings, journal, begunMonth: use(BegunMonth), shards: use(RegenerationShardRepository) },
    ...{ regenerateAccount: use(RegenerateAccount), regenerateShard: use(RegenerateShard) },
    explain: new Explain(journal, holds, statements),
    rebuildAccount: new RebuildAccount(database, accounts, statements, holds, journal, history, clock),
    rebuildEarnings: new RebuildEarnings(database, earnings, history, clock),
  } as unknown as Books;
  const terminal: Terminal = { print: () => undefined, paint: (_, text) => text };
  const [entry] = await journal.ofChain(user.id, 0, 1);
  for (const id of [entry!.id, entry!.sourceId]) expect(await explain(books, id, terminal)).toBe(0);
  for (const dryRun of [true, false]) expect(await regenerate(books, { dryRun }, terminal)).toBe(0);
  expect(await rebuild(books, false, terminal)).toBe(0);
}

/** Of the routes under these paths, as the service itself documents them. */
async function routes(): Promise<string[]> {
  const { paths } = await ledger.app.get(OpenApiDocument, { strict: false }).get();
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/api/') || /^\/internal\/(?!projections)/.test(path))
    .flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace(/\{[^}]+\}/g, '{}')}`),
    )
    .sort();
}
async function reactions(): Promise<string[]> {
  const ids: string[] = [];
  for await (const file of glob('**/*.{consumer,projection}.ts', { cwd: SOURCES })) {
    const source = await readFile(join(SOURCES, file), 'utf8');
    ids.push(...[...source.matchAll(/\bid: '(ledger\.[a-z-]+)'/g)].map(([, id]) => id!));
  }
  return ids.sort();
}

describe('what the ledger asks its database', () => {
  it('is asked by every reaction, route, sweep and command, and always finds an index (issue 5)', async () => {
    await tellEverything();
    await callRoutes();
    await missMonth(user.id);
    await runCommands();
    await ledger.settled();
    const holds = ledger.database.connection.collection('credit_holds');
    await eventually(async () => expect(await holds.countDocuments({ status: 'expired' })).toBe(1));

    const inbox = await ledger.database.connection.collection('_inbox').find({}).toArray();
    const reacted = new Set(inbox.map(({ _id }) => String(_id).split(':')[0]!));
    expect([...reacted].sort()).toEqual(await reactions());
    expect([...called].sort()).toEqual(await routes());
    expect(queries.count).toBeGreaterThan(called.size);
    // What is wrong with the books at the moment: nothing, or an incident.
    await queries.expectEveryQueryToUseAnIndex({ except: ['self_check_findings'] });
  });
});
