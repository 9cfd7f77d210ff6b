import { Injectable } from '@nestjs/common';
import { ActorSigner } from '@atelier/auth';
import { holdView, type PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';
import type { Context } from '@atelier/kernel';
import { InjectConfig, ServiceClient, ShutdownSequence, type ConfigOf } from '@atelier/service';
import { studioConfig } from '../studio.config.js';
import type { EnhancementJob } from './enhancement.domain.js';

const RETRIES = 2;
/** The hold outlives the job's deadline, so that the ledger can still capture what ended at the last moment. */
const HOLD_MARGIN_SECONDS = 900;

/** The one service that studio calls: the ledger sets a job's credits aside before the job is queued. */
@Injectable()
export class LedgerClient {
  private readonly ledger: ServiceClient;
  private readonly ttlSeconds: number;

  constructor(
    @InjectConfig(studioConfig) config: ConfigOf<typeof studioConfig>,
    signer: ActorSigner,
    shutdown: ShutdownSequence,
  ) {
    this.ttlSeconds = Math.ceil(config.JOB_DEADLINE_MS / 1_000) + HOLD_MARGIN_SECONDS;
    this.ledger = new ServiceClient({
      name: 'ledger',
      baseUrl: config.LEDGER_URL,
      signer,
      timeoutMs: config.LEDGER_TIMEOUT_MS,
      retries: RETRIES,
    });
    shutdown.add('jobs', 'ledger client', () => this.ledger.close());
  }

  /**
   * Holds the job's credits; a repeat answers the same hold.
   * Throws payment_required `ledger.credits.insufficient`, unavailable `ledger.unavailable`.
   */
  async placeHold(
    job: EnhancementJob & { readonly holdId: NonNullable<EnhancementJob['holdId']> },
    context: Context,
  ) {
    const body: PlaceHoldRequest = {
      holdId: job.holdId,
      userId: job.userId!,
      amount: job.costCredits,
      type: 'spend_enhancement',
      sourceId: job.id,
      ttlSeconds: this.ttlSeconds,
    };
    return this.ledger.call({
      method: 'POST',
      path: '/internal/holds',
      body,
      schema: holdView,
      context,
      idempotencyKey: job.holdId,
    });
  }
}
