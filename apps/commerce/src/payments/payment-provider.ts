import type { IncomingHttpHeaders } from 'node:http';
import type { Amount, PaymentOutcome, ProviderName } from './payment.domain.js';

/** A webhook that was proved to be the provider's. */
export interface ProviderEvent {
  /** The provider's own id of the event; a repeat has the same. */
  readonly eventId: string;
  readonly eventType: string;
  /** Absent for events that tell nothing of a payment. */
  readonly outcome?: PaymentOutcome;
}

/**
 * What every payment provider does for us. Each implementation passes `payment-provider.contract.ts`.
 */
export interface PaymentProvider {
  readonly name: ProviderName;

  /** Opens a hosted page where this payment is paid. A repeat with the same payment id answers the same page. */
  createCheckout(request: {
    readonly paymentId: string;
    readonly amount: Amount;
    readonly description: string;
  }): Promise<{ readonly providerPaymentId: string; readonly checkoutUrl: string }>;

  /**
   * Reads a webhook. Throws invalid `commerce.webhook.signature` unless the provider signed exactly these bytes, and
   * `commerce.webhook.timestamp` when it signed them more than five minutes from `now`: a recorded request is worth
   * nothing later, and sooner its event id tells the repeat.
   */
  parseWebhook(rawBody: Buffer, headers: IncomingHttpHeaders, now: Date): ProviderEvent;

  /** What became of a payment so far; undefined while nobody has paid. */
  lookUp(providerPaymentId: string): Promise<PaymentOutcome | undefined>;

  /** Gives all the money of a succeeded payment back; a repeat changes nothing. A webhook tells that it is done. */
  refund(providerPaymentId: string): Promise<void>;
}
