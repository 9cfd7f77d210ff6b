import { jest } from '@jest/globals';
import { exampleEnvelope, newId } from '@atelier/kernel';
import { eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { empty, quiet } from '../payouts/seller.fixture.js';
import { VerifyBooks } from './verify-books.usecase.js';

const ONE_RUN = { REGENERATION_INTERVAL_MS: '86400000', SELF_CHECK_INTERVAL_MS: '86400000' };
let first: ServiceUnderTest;
let second: ServiceUnderTest | undefined;
/** Ends the sum of all, which lasts until then. */
let endSum: () => void;
let sum: jest.SpiedFunction<VerifyBooks['verifySum']>;
beforeAll(async () => {
  first = await startService(LedgerModule, ledgerConfig, ONE_RUN);
  // Its own first run would close the finding that a test opens.
  await quiet(first);
});
beforeEach(async () => {
  await empty(first);
  const ended = new Promise<void>((end) => (endSum = end));
  const verifySum = VerifyBooks.prototype.verifySum;
  sum = jest.spyOn(VerifyBooks.prototype, 'verifySum').mockImplementation(async function (this: VerifyBooks) {
    await ended;
    return verifySum.call(this);
  });
});
afterEach(async () => {
  endSum();
  await second?.close();
  second = undefined;
  sum.mockRestore();
});
afterAll(() => first.close());

const collection = (name: string) => first.database.connection.collection(name);
const startSecond = async () => {
  const env = { ...ONE_RUN, MONGODB_DATABASE: first.database.connection.name };
  second = await startService(LedgerModule, ledgerConfig, env);
};
const ready = async () => {
  const response = await fetch(`${second!.url}/health/ready`);
  return { status: response.status, text: await response.text() };
};
const outOfBalance = async () =>
  /^atelier_ledger_out_of_balance (\d)$/m.exec(await (await fetch(`${second!.url}/metrics`)).text())?.[1];

describe('a replica that has just started, while its first sum of all runs', () => {
  it('is not ready for a moment while a finding of another replica is open', async () => {
    const finding = { account: 'platform', problem: 'what another replica found' };
    await collection('self_check_findings').insertOne({
      _id: 'platform' as never,
      ...{ findings: [finding], foundAt: new Date() },
    });
    await startSecond();
    expect(await ready()).toEqual({ status: 503, text: expect.stringContaining(finding.problem) as string });
    expect(await outOfBalance()).toBe('1');
    endSum();
    // Looked at again, it is none.
    await eventually(async () => expect((await ready()).status).toBe(200));
    expect(await outOfBalance()).toBe('0');
  });

  it('tells what it has found itself before that sum is done', async () => {
    const userId = newId('usr');
    const payment = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId, credits: 100 };
    await first.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
    await collection('credit_balances').updateOne(
      { _id: userId as never },
      { $inc: { settled: 5, available: 5 } },
    );
    await startSecond();
    await eventually(async () => expect(sum).toHaveBeenCalled());
    expect(await ready()).toEqual({ status: 503, text: expect.stringContaining(`user:${userId}`) as string });
    expect(await outOfBalance()).toBe('1');
  });
});
