import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { DomainError } from '@atelier/kernel';
import { InjectConfig } from '@atelier/service';
import { commerceConfig, type CommerceConfig } from '../../commerce.config.js';
import type { PaymentOutcome } from '../payment.domain.js';
import type { PaymentProvider, ProviderEvent } from '../payment-provider.js';
import { SandboxCheckouts, type SandboxCheckout } from './sandbox-checkouts.js';
import { SANDBOX_SIGNATURE_HEADER, verifySandboxWebhook } from './sandbox-signature.js';
import { SandboxWebhooks } from './sandbox-webhooks.client.js';

const text = z.string().min(1).max(128);
const webhookSchema = z.object({
  id: text,
  type: text,
  data: z.object({
    checkoutId: text,
    paymentId: text,
    amount: z.object({ amount: z.int(), currency: z.string().length(3) }),
    reason: text.optional(),
  }),
});

const OUTCOMES: Readonly<Record<string, PaymentOutcome['status']>> = {
  'checkout.succeeded': 'succeeded',
  'checkout.failed': 'failed',
  'checkout.refunded': 'refunded',
  'checkout.disputed': 'disputed',
};

/** A provider without money, for development and tests: everything else of it is as real as Stripe's. */
@Injectable()
export class SandboxProvider implements PaymentProvider {
  readonly name = 'sandbox';

  constructor(
    @InjectConfig(commerceConfig) private readonly config: CommerceConfig,
    private readonly checkouts: SandboxCheckouts,
    private readonly webhooks: SandboxWebhooks,
  ) {}

  async createCheckout(
    request: Parameters<PaymentProvider['createCheckout']>[0],
  ): ReturnType<PaymentProvider['createCheckout']> {
    const { _id } = await this.checkouts.open(request);
    return {
      providerPaymentId: _id,
      checkoutUrl: new URL(`/api/v1/sandbox/checkouts/${_id}`, this.config.PUBLIC_URL).href,
    };
  }

  parseWebhook(rawBody: Buffer, headers: IncomingHttpHeaders, now: Date): ProviderEvent {
    verifySandboxWebhook(this.config.SANDBOX_WEBHOOK_SECRET, rawBody, headers[SANDBOX_SIGNATURE_HEADER], now);
    const parsed = webhookSchema.safeParse(JSON.parse(rawBody.toString()));
    if (!parsed.success)
      throw new DomainError({
        kind: 'invalid',
        code: 'commerce.webhook.unreadable',
        detail: 'The webhook is signed, and is not an event of the sandbox.',
      });
    const { id, type, data } = parsed.data;
    const status = OUTCOMES[type];
    if (!status) return { eventId: id, eventType: type };
    const { checkoutId, paymentId, amount, reason } = data;
    return {
      eventId: id,
      eventType: type,
      outcome: { paymentId, providerPaymentId: checkoutId, status, amount, reason },
    };
  }

  async lookUp(providerPaymentId: string): Promise<PaymentOutcome | undefined> {
    const { paymentId, amount, status } = await this.checkouts.find(providerPaymentId);
    if (status === 'open') return undefined;
    return {
      paymentId,
      providerPaymentId,
      status,
      amount,
      ...(status === 'failed' ? { reason: 'card_declined' } : {}),
    };
  }

  async refund(providerPaymentId: string): Promise<void> {
    await this.webhooks.send(await this.checkouts.move(providerPaymentId, 'succeeded', 'refunded'));
  }

  /** What the person at the hosted page decides: the card is taken, or declined. */
  async settle(checkoutId: string, status: 'succeeded' | 'failed'): Promise<SandboxCheckout> {
    const checkout = await this.checkouts.move(checkoutId, 'open', status);
    await this.webhooks.send(checkout);
    return checkout;
  }

  page(checkoutId: string): Promise<SandboxCheckout> {
    return this.checkouts.find(checkoutId);
  }
}
