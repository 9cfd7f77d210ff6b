import { Injectable } from '@nestjs/common';
import { ActorSigner } from '@atelier/auth';
import { holdView, type HoldView, type PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';
import type { Context } from '@atelier/kernel';
import { InjectConfig, ServiceClient, ShutdownSequence } from '@atelier/service';
import { commerceConfig, type CommerceConfig } from '../commerce.config.js';

/** The one synchronous call to another service: setting a buyer's credits aside. */
@Injectable()
export class LedgerClient {
  private readonly client: ServiceClient;

  constructor(
    @InjectConfig(commerceConfig) config: CommerceConfig,
    signer: ActorSigner,
    shutdown: ShutdownSequence,
  ) {
    this.client = new ServiceClient({
      name: 'ledger',
      baseUrl: config.LEDGER_URL,
      signer,
      timeoutMs: config.LEDGER_TIMEOUT_MS,
      retries: config.LEDGER_RETRIES_MAX,
    });
    shutdown.add('jobs', 'ledger client', () => this.client.close());
  }

  /**
   * Repeating it with the same hold id is safe. Throws payment_required `ledger.credits.insufficient` with
   * `available`, `held` and `required`, and unavailable `ledger.unavailable`.
   */
  placeHold(request: PlaceHoldRequest, context: Context): Promise<HoldView> {
    return this.client.call({
      method: 'POST',
      path: '/internal/holds',
      body: request,
      schema: holdView,
      context,
      idempotencyKey: request.holdId,
    });
  }
}
