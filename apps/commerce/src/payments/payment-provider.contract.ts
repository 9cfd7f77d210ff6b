import { newId } from '@atelier/kernel';
import type { PaymentProvider } from './payment-provider.js';

/** A webhook as it arrived at our door. */
export interface DeliveredWebhook {
  readonly rawBody: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the suite needs around a provider: somebody who pays, and our door. */
export interface ProviderUnderTest {
  readonly provider: PaymentProvider;
  /** The payer at the hosted page. */
  pay(providerPaymentId: string, how: 'succeeds' | 'fails'): Promise<void>;
  /** What the provider has sent for this payment so far, oldest first. */
  webhooksOf(providerPaymentId: string): readonly DeliveredWebhook[];
}

const FIVE_MINUTES_MS = 300_000;
const amount = { amount: 1_999, currency: 'USD' };

/** What every payment provider must do; call it in the provider's `*.contract.spec.ts`. */
export function describePaymentProvider(name: string, underTest: () => ProviderUnderTest): void {
  const checkout = async () => {
    const paymentId = newId('pay');
    const opened = await underTest().provider.createCheckout({
      paymentId,
      amount,
      description: '500 credits',
    });
    return { paymentId, ...opened };
  };
  const paid = async (how: 'succeeds' | 'fails') => {
    const opened = await checkout();
    await underTest().pay(opened.providerPaymentId, how);
    return { ...opened, webhook: underTest().webhooksOf(opened.providerPaymentId)[0]! };
  };
  const code = (run: () => unknown): string => {
    try {
      run();
      return 'accepted';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  describe(`the payment provider ${name}`, () => {
    it('opens one page per payment, however often it is asked', async () => {
      const { paymentId, ...opened } = await checkout();
      const again = await underTest().provider.createCheckout({
        paymentId,
        amount,
        description: '500 credits',
      });
      expect(again).toEqual(opened);
      expect(() => new URL(opened.checkoutUrl)).not.toThrow();
      expect((await checkout()).providerPaymentId).not.toBe(opened.providerPaymentId);
    });

    it('knows of no outcome before somebody pays', async () => {
      const { providerPaymentId } = await checkout();
      expect(await underTest().provider.lookUp(providerPaymentId)).toBeUndefined();
    });

    it.each([
      ['succeeds', 'succeeded'],
      ['fails', 'failed'],
    ] as const)('tells the same when asked and by webhook: a payment that %s', async (how, status) => {
      const { paymentId, providerPaymentId, webhook } = await paid(how);
      const event = underTest().provider.parseWebhook(webhook.rawBody, webhook.headers, new Date());
      expect(event.outcome).toMatchObject({ paymentId, providerPaymentId, status, amount });
      expect(event.outcome).toEqual(await underTest().provider.lookUp(providerPaymentId));
    });

    it('refuses a body that differs by one byte, and a signature that differs or is missing', async () => {
      const { webhook } = await paid('succeeds');
      const { provider } = underTest();
      const parse = (rawBody: Buffer, headers: Record<string, string>) =>
        code(() => provider.parseWebhook(rawBody, headers, new Date()));
      const tampered = Buffer.from(webhook.rawBody);
      tampered[tampered.length - 2]! ^= 1;
      expect(parse(webhook.rawBody, webhook.headers)).toBe('accepted');
      expect(parse(tampered, webhook.headers)).toBe('commerce.webhook.signature');
      expect(parse(Buffer.alloc(0), webhook.headers)).toBe('commerce.webhook.signature');
      expect(parse(webhook.rawBody, {})).toBe('commerce.webhook.signature');
      for (const [header, value] of Object.entries(webhook.headers).filter(([key]) =>
        key.includes('signature'),
      ))
        expect(
          parse(webhook.rawBody, {
            ...webhook.headers,
            [header]: value.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
          }),
        ).toBe('commerce.webhook.signature');
    });

    it('refuses what was signed more than five minutes ago, or ahead', async () => {
      const { webhook } = await paid('succeeds');
      const at = (offsetMs: number) =>
        code(() =>
          underTest().provider.parseWebhook(
            webhook.rawBody,
            webhook.headers,
            new Date(Date.now() + offsetMs),
          ),
        );
      expect(at(FIVE_MINUTES_MS - 30_000)).toBe('accepted');
      expect(at(FIVE_MINUTES_MS + 30_000)).toBe('commerce.webhook.timestamp');
      expect(at(-FIVE_MINUTES_MS - 30_000)).toBe('commerce.webhook.timestamp');
    });

    it('gives the money back once, and tells so by a webhook of its own', async () => {
      const { paymentId, providerPaymentId } = await paid('succeeds');
      const { provider, webhooksOf } = underTest();
      await provider.refund(providerPaymentId);
      await provider.refund(providerPaymentId);
      const events = webhooksOf(providerPaymentId).map(({ rawBody, headers }) =>
        provider.parseWebhook(rawBody, headers, new Date()),
      );
      const refunds = events.filter(({ outcome }) => outcome?.status === 'refunded');
      expect(refunds[0]!.outcome).toMatchObject({ paymentId, amount });
      expect(new Set(refunds.map(({ eventId }) => eventId)).size).toBe(1);
      expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(2);
    });
  });
}
