import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { request } from 'undici';
import { Clock, DomainError } from '@atelier/kernel';
import { InjectConfig } from '@atelier/service';
import { commerceConfig, type CommerceConfig } from '../../commerce.config.js';
import type { SandboxCheckout } from './sandbox-checkouts.js';
import { SANDBOX_SIGNATURE_HEADER, signSandboxWebhook } from './sandbox-signature.js';

const ATTEMPTS_MAX = 3;
const BACKOFF_BASE_MS = 200;
const PATH = '/api/v1/webhooks/sandbox';

/** Tells us, as a provider does, what became of a checkout: by a signed HTTP call through the gateway. */
@Injectable()
export class SandboxWebhooks {
  constructor(
    @InjectConfig(commerceConfig) private readonly config: CommerceConfig,
    private readonly clock: Clock,
  ) {}

  /** Sends the event of the checkout's status. The id follows from both, so that a repeat is known as one. */
  async send(checkout: SandboxCheckout): Promise<void> {
    const { _id, paymentId, amount, status } = checkout;
    const body = JSON.stringify({
      id: `${_id}.${status}`,
      type: `checkout.${status}`,
      data: {
        checkoutId: _id,
        paymentId,
        amount,
        ...(status === 'failed' ? { reason: 'card_declined' } : {}),
      },
    });
    for (let attempt = 1; ; attempt++) {
      const answered = await this.post(body);
      if (answered === 200) return;
      if (attempt === ATTEMPTS_MAX)
        throw new DomainError({
          kind: 'unavailable',
          code: 'commerce.sandbox.webhook_undelivered',
          detail: `The webhook could not be delivered (${answered ?? 'no answer'}). Repeat this call to send it again.`,
          retryAfterSeconds: 1,
        });
      await sleep(BACKOFF_BASE_MS * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }

  private async post(body: string): Promise<number | undefined> {
    try {
      const response = await request(new URL(PATH, this.config.PUBLIC_URL), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [SANDBOX_SIGNATURE_HEADER]: signSandboxWebhook(
            this.config.SANDBOX_WEBHOOK_SECRET,
            body,
            this.clock.now(),
          ),
        },
        body,
        signal: AbortSignal.timeout(this.config.SANDBOX_WEBHOOK_TIMEOUT_MS),
      });
      await response.body.dump();
      return response.statusCode;
    } catch {
      return undefined;
    }
  }
}
