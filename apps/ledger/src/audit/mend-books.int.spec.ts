import { jest } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { exampleEnvelope, newId } from '@atelier/kernel';
import { aService, aUser, eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { command as runCommand, databaseOf } from '../cli/command.fixture.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { empty } from '../payouts/seller.fixture.js';
import { DatabaseTime } from '../regeneration/begun-month.js';
import { monthOf } from '../regeneration/regeneration.domain.js';
import { VerifyAccount } from './verify-account.usecase.js';
import { VerifyBooks } from './verify-books.usecase.js';

const COMMAND_TIMEOUT_MS = 30_000;
const studio = aService('studio');
const jobId = newId('job');
const holdId = newId('hld');
let user: ReturnType<typeof aUser>;
let account: string;
let ledger: ServiceUnderTest;
/** One account: credits bought, and a part of a hold captured. */
async function fill(): Promise<void> {
  user = aUser();
  account = `user:${user.id}`;
  const payment = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId: user.id, credits: 100 };
  await ledger.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
  const hold = { holdId, userId: user.id, amount: 10, type: 'spend_enhancement', sourceId: jobId };
  await ledger.as(studio).post('/internal/holds', hold);
  const job = { ...JobFinished.example, jobId, userId: user.id, holdId, costCredits: 10, chargedCredits: 4 };
  await ledger.publish(exampleEnvelope(JobFinished, job, { subject: jobId }));
}
/** A ledger that does nothing by itself, for all tests of a group. */
function sharedLedger(): void {
  beforeAll(async () => {
    const env = { REGENERATION_INTERVAL_MS: '86400000', SELF_CHECK_INTERVAL_MS: '86400000' };
    ledger = await startService(LedgerModule, ledgerConfig, env);
  });
  beforeEach(async () => {
    await empty(ledger);
    await fill();
  });
  afterAll(() => ledger.close());
}

const collection = (name: string) => ledger.database.connection.collection(name);
const rowsOf = (name: string, filter: object) => collection(name).find(filter).toArray();
const findings = async () => (await ledger.app.get(VerifyBooks, { strict: false }).execute()).findings;
const command = (...args: string[]) => runCommand(ledger, ...args);
/** The same as a process, for what only a process has: its exit code, and two streams. */
const asProcess = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', '@atelier/stack/typescript', 'apps/ledger/src/cli.ts', ...args], {
    env: { ...process.env, NO_COLOR: '1', ...databaseOf(ledger) },
    encoding: 'utf8',
    timeout: COMMAND_TIMEOUT_MS,
  });

describe('rebuild', () => {
  sharedLedger();

  it('shows what differs and changes nothing, then mends balances and lines from the journal (R243)', async () => {
    const lines = () => rowsOf('credit_transactions', { userId: user.id });
    const stored = async () => [await lines(), await rowsOf('credit_balances', { _id: user.id })];
    const [before, [balance]] = (await stored()) as [object[], [Record<string, unknown>]];
    await collection('credit_balances').updateOne(
      { _id: user.id as never },
      { $set: { settled: 7, available: -1, held: 8, perishable: 3, soldCredits: 5, paidOutCredits: 2 } },
    );
    await collection('credit_transactions').updateOne(
      { userId: user.id, sequence: 1 },
      { $set: { amount: 9 } },
    );
    await collection('credit_transactions').deleteOne({ userId: user.id, sequence: 2 });
    const tampered = await stored();
    expect(await command('rebuild')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('1 accounts: 1 differ, 0 mended, 0 refused') as string,
    });
    expect(await stored()).toEqual(tampered);
    expect(await command('rebuild', '--apply')).toMatchObject({ status: 0 });
    expect(await findings()).toEqual([]);
    const after = await lines();
    // The lost line has a new id; all that a person reads is as it was, the hold included.
    const told = (rows: readonly object[]) => rows.map((row) => ({ ...row, _id: '', createdAt: '' }));
    expect(told(after)).toEqual(told(before));
    const [mended] = await rowsOf('credit_balances', { _id: user.id });
    expect(mended).toMatchObject({ settled: 96, held: 0, available: 96, sequence: 2 });
    expect(mended).toMatchObject({ perishable: 0, soldCredits: 0, paidOutCredits: 0 });
    expect(mended!['lastEntryId']).toBe(balance['lastEntryId']);
  });

  it('makes a lost balance again', async () => {
    await collection('credit_balances').deleteOne({ _id: user.id as never });
    expect((await command('rebuild', '--apply')).status).toBe(0);
    expect(await findings()).toEqual([]);
    const [mended] = await rowsOf('credit_balances', { _id: user.id });
    // Above all that a running replica may remember, or it would write over it.
    expect(mended!['version']).toBeGreaterThan(1_000_000_000);
  });

  it.each([
    ['an entry is lost', () => collection('journal_entries').deleteOne({ 'links.sequence': 2 })],
    [
      'an entry was changed',
      () => collection('journal_entries').updateOne({ 'links.sequence': 1 }, { $set: { sourceId: 'other' } }),
    ],
  ])('believes no journal in which %s', async (_, damage) => {
    await damage();
    const before = await rowsOf('credit_balances', {});
    expect(await command('rebuild', '--apply')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining(`${account} is left alone`) as string,
    });
    expect(await rowsOf('credit_balances', {})).toEqual(before);
  });
});

describe('explain', () => {
  sharedLedger();

  it('tells the story of a job by the id of any part of it', async () => {
    const [entry] = await rowsOf('journal_entries', { sourceId: jobId });
    const stories = await Promise.all(
      [jobId, holdId, String(entry!['_id'])].map((id) => command('explain', id)),
    );
    expect(stories.map(({ status }) => status)).toEqual([0, 0, 0]);
    const [story] = stories.map(({ stdout }) => stdout);
    expect(stories.map(({ stdout }) => stdout)).toEqual([story, story, story]);
    expect(story).toMatch(new RegExp(`held +10 +${account} +${holdId}`));
    expect(story).toMatch(new RegExp(`captured +4 +${account} +${holdId} +4 of 10`));
    expect(story).toMatch(
      new RegExp(`spend_enhancement +-4 +96 +${account} +jrn_\\w+ +job_finished:${jobId}`),
    );
    expect(story).toMatch(/platform +4 +platform:revenue/);
    expect(story).not.toContain('\x1b');
  });
});

describe('the command line', () => {
  sharedLedger();

  it.each([
    [['--help'], 0, 'stdout', 'usage:'],
    [['mend'], 2, 'stderr', 'no command mend'],
    [['explain', 'pur_unknown'], 1, 'stderr', 'no entry and no hold of pur_unknown'],
    [['regenerate', '--dry-run'], 0, 'stdout', 'no account is due'],
  ] as const)('%j ends with %i and says why', (args, status, stream, text) => {
    const result = asProcess(...args);
    expect({ status: result.status, said: result[stream] }).toEqual({
      status,
      said: expect.stringContaining(text) as string,
    });
  });

  it('previews and then runs the regeneration of the month', async () => {
    await collection('credit_balances').updateOne(
      { _id: user.id as never },
      { $set: { lastRegeneratedAt: new Date(Date.now() - 40 * 86_400_000) } },
    );
    const preview = (await command('regenerate', '--dry-run')).stdout;
    expect(preview).toMatch(/free: 1 accounts would get \d+ and lose \d+/);
    expect(await rowsOf('journal_entries', { causeId: /^regeneration:/ })).toEqual([]);
    expect(await command('regenerate')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('1 of 1 shards are finished') as string,
    });
    expect(await findings()).toEqual([]);
  });

  it('regenerates no month that has not begun by the clock of the database (R234)', async () => {
    const month = monthOf(new Date());
    const lastRegeneratedAt = new Date('2020-01-15T00:00:00Z');
    await collection('credit_balances').updateOne({ _id: user.id as never }, { $set: { lastRegeneratedAt } });
    const databaseTime = jest.spyOn(DatabaseTime.prototype, 'now').mockResolvedValue(lastRegeneratedAt);
    for (const more of [[], ['--dry-run']])
      await expect(command('regenerate', '--month', month, ...more)).rejects.toThrow(
        `${month} has not begun`,
      );
    expect((await command('regenerate')).stdout).toContain('2020-01: 0 grants');
    databaseTime.mockRestore();
    expect(await rowsOf('journal_entries', { causeId: /^regeneration:/ })).toEqual([]);
  });
});

describe('the self-check', () => {
  beforeEach(async () => {
    const env = { SELF_CHECK_INTERVAL_MS: '50', SELF_CHECK_SUM_INTERVAL_MS: '10' };
    ledger = await startService(LedgerModule, ledgerConfig, env);
    await fill();
  });
  afterEach(() => ledger.close());

  const ready = async () => {
    const response = await fetch(`${ledger.url}/health/ready`);
    return { status: response.status, text: await response.text() };
  };
  const metric = async (name: string) => {
    const text = await (await fetch(`${ledger.url}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    return Number(line?.split(' ')[1]);
  };

  it('turns readiness red while an account does not add up, and green once it is mended', async () => {
    await eventually(async () =>
      expect(await metric('atelier_ledger_verified_accounts_total')).toBeGreaterThan(0),
    );
    expect((await ready()).status).toBe(200);
    expect(await metric('atelier_ledger_out_of_balance')).toBe(0);
    const shift = (credits: number) =>
      collection('credit_balances').updateOne(
        { _id: user.id as never },
        { $inc: { settled: credits, available: credits } },
      );
    await shift(5);
    await eventually(async () => {
      const { status, text } = await ready();
      expect(status).toBe(503);
      expect(text).toContain(`${account}: the settled balance is not the sum of the entries`);
    });
    expect(await metric('atelier_ledger_out_of_balance')).toBe(1);
    await shift(-5);
    await eventually(async () => expect((await ready()).status).toBe(200));
    expect(await metric('atelier_ledger_out_of_balance')).toBe(0);
  });

  it('tells of an entry that cannot be read, and goes on behind its account', async () => {
    const payment = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId: newId('usr') };
    await ledger.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
    await collection('journal_entries').updateOne(
      { links: { $elemMatch: { account, sequence: 1 } } },
      { $set: { createdAt: 'yesterday' } },
    );
    await eventually(async () => expect((await ready()).text).toContain('it cannot be read'));
    const verified = await metric('atelier_ledger_verified_accounts_total');
    await eventually(async () =>
      expect(await metric('atelier_ledger_verified_accounts_total')).toBeGreaterThan(verified + 5),
    );
    expect(await metric('atelier_ledger_out_of_balance')).toBe(1);
  });

  it('shows by its time that it was kept from looking at something', async () => {
    const completedAt = () => metric('atelier_ledger_self_check_completed_at_seconds{of="accounts"}');
    await eventually(async () => expect(await completedAt()).toBeGreaterThan(0));
    const verifyAccount = ledger.app.get(VerifyAccount, { strict: false });
    const failing = jest.spyOn(verifyAccount, 'execute').mockRejectedValue(new Error('no time'));
    await eventually(async () => expect(failing.mock.calls.length).toBeGreaterThan(2));
    const stopped = await completedAt();
    const calls = failing.mock.calls.length;
    await eventually(async () => expect(failing.mock.calls.length).toBeGreaterThan(calls + 1));
    expect(await completedAt()).toBe(stopped);
    expect((await ready()).status).toBe(200);
    failing.mockRestore();
    await eventually(async () => expect(await completedAt()).toBeGreaterThan(stopped));
  });

  it('sees by the sum of all what no single account shows', async () => {
    const entries = collection('journal_entries');
    await entries.insertOne({
      _id: newId('jrn') as never,
      causeId: 'nobody',
      links: [],
      postings: [{ account: 'platform:revenue', asset: 'credits', amount: 3 }],
    });
    await eventually(async () =>
      expect((await ready()).text).toContain('users and platform together are not zero'),
    );
  });
});
