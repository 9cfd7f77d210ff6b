import { jest } from '@jest/globals';
import { Logger } from '@atelier/observability';
import { ShutdownSequence } from '@atelier/service';
import { eventually } from '@atelier/testing';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { AdvancePayout } from './advance-payout.usecase.js';
import { ApprovedPayouts } from './approved-payouts.job.js';
import { PayoutRequestRepository } from './payout-request.repository.js';
import { PayoutProviders } from './providers/payout-providers.js';
import { Sellers, type User } from './seller.fixture.js';

const DAY_SECONDS = 86_400;
const STEP_TIMEOUT_MS = 60_000;
let sellers: Sellers;
let payouts: { seller: User; id: string }[];
/** Ends the provider's silence. */
let answer: () => void;
let send: jest.SpiedFunction<ReturnType<PayoutProviders['named']>['send']>;
beforeEach(async () => {
  sellers = await Sellers.start();
  payouts = [];
  for (let count = 0; count < 3; count++) {
    const seller = await sellers.seller(500);
    const { id } = (await sellers.request(seller, 200)).body;
    await sellers.decide(id, 'approve');
    payouts.push({ seller, id });
  }
  const provider = sellers.get(PayoutProviders).named('sandbox');
  const real = provider.send.bind(provider);
  const silence = new Promise<void>((resolve) => (answer = resolve));
  send = jest.spyOn(provider, 'send').mockImplementationOnce(async (transfer) => {
    await silence;
    return real(transfer);
  });
});
afterEach(() => sellers.ledger.close());

const statuses = () =>
  Promise.all(payouts.map(async ({ seller, id }) => (await sellers.payout(seller, id)).status as string));
const waitingSeconds = async () => {
  const text = await (await fetch(`${sellers.ledger.url}/metrics`)).text();
  return Number(/^atelier_ledger_payout_waiting_seconds\S* (\S+)$/m.exec(text)![1]);
};

describe('payouts that are approved', () => {
  it('are paid beside one whose provider hangs, and the alert tells how old that one is meanwhile', async () => {
    sellers.clock.pass(1);
    const sweeping = sellers.get(ApprovedPayouts).sweep();
    await eventually(async () => expect((await statuses()).sort()).toEqual(['paid', 'paid', 'paying']));
    expect(await waitingSeconds()).toBeGreaterThanOrEqual(DAY_SECONDS);
    answer();
    await sweeping;
    await sellers.get(ApprovedPayouts).sweep();
    expect(await statuses()).toEqual(['paid', 'paid', 'paid']);
    await sellers.get(ApprovedPayouts).sweep();
    expect(await waitingSeconds()).toBe(0);
  });

  it('are not begun any more by a service that stops', async () => {
    const config = sellers.ledger.app.get<LedgerConfig>(ledgerConfig.token, { strict: false });
    const shutdown = new ShutdownSequence(sellers.get(Logger), STEP_TIMEOUT_MS);
    const job = new ApprovedPayouts(
      sellers.get(PayoutRequestRepository),
      sellers.get(AdvancePayout),
      sellers.clock,
      { ...config, PAYOUT_CONCURRENCY_MAX: 1 },
      shutdown,
    );
    const sweeping = job.sweep();
    await eventually(() => expect(send).toHaveBeenCalledTimes(1));
    await shutdown.run();
    answer();
    expect(await sweeping).toBe(false);
    expect((await statuses()).sort()).toEqual(['approved', 'approved', 'paying']);
  });
});
