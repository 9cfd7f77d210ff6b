import { newId } from '@atelier/kernel';
import type { PayoutAccount } from '@atelier/contracts/ledger/payout-methods.api';
import type { PayoutProvider } from './payout-provider.js';

/** What the suite needs around a provider: its owner's eyes, and its books. */
export interface ProviderUnderTest {
  readonly provider: PayoutProvider;
  readonly account: PayoutAccount;
  /** An account that no money arrives at. */
  readonly closedAccount: PayoutAccount;
  /** What the account's owner reads on the statement. */
  codeOf(methodId: string): Promise<string>;
  /** Lets the provider do its work. */
  work(reference: string, how: 'paid' | 'failed'): Promise<void>;
  /** How often, and how much, was ordered for this payout. */
  ordersOf(payoutId: string): Promise<number[]>;
}

const amount = { amount: 3_000, currency: 'USD' };

/** What every payout provider must do; call it in the provider's `*.int.spec.ts`. */
export function describePayoutProvider(name: string, underTest: () => ProviderUnderTest): void {
  const registered = async (closed = false) => {
    const { provider, account, closedAccount } = underTest();
    const methodId = newId('pym');
    const { providerAccountId } = await provider.register(methodId, closed ? closedAccount : account);
    await provider.sendCode(methodId, providerAccountId);
    return { methodId, providerAccountId };
  };
  const sent = async (closed = false) => {
    const { providerAccountId } = await registered(closed);
    const transfer = { payoutId: newId('pyo'), providerAccountId, ...amount };
    return { transfer, ...(await underTest().provider.send(transfer)) };
  };

  describe(`the payout provider ${name}`, () => {
    it('has a reference of its own for each account, which does not tell the number', async () => {
      const { account } = underTest();
      const { providerAccountId } = await registered();
      expect((await registered()).providerAccountId).not.toBe(providerAccountId);
      const number = account.type === 'bank_account' ? account.iban : 'another type';
      for (const text of [providerAccountId, Buffer.from(providerAccountId, 'base64').toString('latin1')])
        expect(text).not.toContain(number.slice(-6));
    });

    it('believes the code that it sent, and no other', async () => {
      const { provider, codeOf } = underTest();
      const { methodId, providerAccountId } = await registered();
      const code = await codeOf(methodId);
      const other = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
      expect(await provider.verify(methodId, providerAccountId, other)).toBe(false);
      expect(await provider.verify(methodId, providerAccountId, '')).toBe(false);
      expect(await provider.verify(methodId, providerAccountId, code)).toBe(true);
    });

    it('believes it too when it was told twice to send it, and takes back what it has not sent', async () => {
      const { provider, codeOf } = underTest();
      const { methodId, providerAccountId } = await registered();
      await provider.sendCode(methodId, providerAccountId);
      expect(await provider.verify(methodId, providerAccountId, await codeOf(methodId))).toBe(true);
      await provider.withdrawCode(methodId);
      await provider.withdrawCode(methodId);
    });

    it('pays once, however often and at the same time it is told to', async () => {
      const { provider, ordersOf } = underTest();
      const { transfer, reference } = await sent();
      const again = await Promise.all([1, 2, 3].map(() => provider.send(transfer)));
      expect(again).toEqual([{ reference }, { reference }, { reference }]);
      expect(await ordersOf(transfer.payoutId)).toEqual([amount.amount]);
    });

    it('tells that it has paid, and tells the same when asked again', async () => {
      const { provider, work } = underTest();
      const { reference } = await sent();
      await work(reference, 'paid');
      expect(await provider.result(reference)).toEqual({ state: 'paid' });
      expect(await provider.result(reference)).toEqual({ state: 'paid' });
    });

    it('tells why it could not pay', async () => {
      const { provider, work } = underTest();
      const { reference } = await sent(true);
      await work(reference, 'failed');
      expect(await provider.result(reference)).toEqual({ state: 'failed', reason: expect.any(String) });
    });

    it('knows nothing yet of what it was never told', async () => {
      expect(await underTest().provider.result('unheard')).toEqual({ state: 'pending' });
    });
  });
}
