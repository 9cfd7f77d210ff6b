import { setTimeout as sleep } from 'node:timers/promises';
import { Clock, newId, type Context } from '@atelier/kernel';
import { counter, Logger } from '@atelier/observability';
import { InjectConfig, UseCase } from '@atelier/service';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { EndPayout } from './end-payout.js';
import {
  beginPaying,
  payoutFailed,
  payoutPaid,
  payoutSent,
  stillPaying,
  unanswered,
  type PayoutRequest,
} from './payout-request.domain.js';
import { PayoutRequestRepository, type PayoutLease } from './payout-request.repository.js';
import type { TransferResult } from './providers/payout-provider.js';
import { PayoutProviders } from './providers/payout-providers.js';

const RETRY_BASE_MS = 1_000;
const RETRY_DOUBLINGS_MAX = 20;

const unansweredCalls = counter(
  'atelier_ledger_payout_unanswered_total',
  'Calls of payout providers that failed or timed out.',
  ['provider'],
);

type Outcome =
  TransferResult | { readonly state: 'sent'; readonly reference: string } | { readonly state: 'unanswered' };

/**
 * Does the next thing for an approved payout: orders the transfer, or asks what became of it. The provider is
 * called between transactions, always with the payout's id as key. It is asked until it says how the payout ended,
 * ever more rarely: a payout that may have been paid must not be given back by a machine.
 *
 * Emits: PayoutPaid; or PayoutFailed and CreditsGranted.
 * Fails with: ledger.account.busy.
 */
@UseCase('ledger.advance-payout')
export class AdvancePayout {
  constructor(
    private readonly payouts: PayoutRequestRepository,
    private readonly providers: PayoutProviders,
    private readonly endPayout: EndPayout,
    private readonly clock: Clock,
    private readonly log: Logger,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  /** Answers undefined when it was slower than its lease, and somebody else goes on with the payout. */
  async execute(lease: PayoutLease): Promise<PayoutRequest | undefined> {
    const taken = await this.payouts.leased(lease);
    if (!taken) return undefined;
    const id = newId('swp');
    const context: Context = { actor: { kind: 'service', id: 'ledger' }, correlationId: id, causationId: id };
    const payout =
      taken.status === 'approved'
        ? await this.payouts.save(beginPaying(taken, this.clock.now()), context)
        : taken;
    const outcome = await this.ask(payout);
    const now = this.clock.now();
    switch (outcome.state) {
      case 'sent':
        return this.payouts.save(payoutSent(payout, outcome.reference, now, now), context);
      case 'paid':
        return this.endPayout.execute(payoutPaid(payout, now), context);
      case 'failed':
        return this.endPayout.execute(payoutFailed(payout, outcome.reason, now), context);
      case 'pending':
        return this.payouts.save(
          stillPaying(payout, later(now, this.config.PAYOUT_POLL_INTERVAL_MS), now),
          context,
        );
      case 'unanswered': {
        const pauseMs = RETRY_BASE_MS * 2 ** Math.min(payout.tries, RETRY_DOUBLINGS_MAX);
        const next = later(now, Math.min(pauseMs, this.config.PAYOUT_RETRY_MS_MAX));
        return this.payouts.save(unanswered(payout, next, now), context);
      }
    }
  }

  private async ask(payout: PayoutRequest): Promise<Outcome> {
    const { id: payoutId, provider, providerAccountId, providerReference, amount } = payout;
    try {
      const named = this.providers.named(provider);
      if (providerReference) return await this.inTime(named.result(providerReference));
      const { reference } = await this.inTime(named.send({ payoutId, providerAccountId, ...amount }));
      return { state: 'sent', reference };
    } catch (err) {
      unansweredCalls.inc({ provider });
      this.log.warn({ err, payoutId, tries: payout.tries + 1 }, 'a payout provider did not answer');
      return { state: 'unanswered' };
    }
  }

  private async inTime<T>(answer: Promise<T>): Promise<T> {
    const timeoutMs = this.config.PAYOUT_PROVIDER_TIMEOUT_MS;
    const answered = new AbortController();
    const tooLate = sleep(timeoutMs, undefined, { signal: answered.signal }).then(() => {
      throw new Error(`no answer within ${timeoutMs} ms`);
    });
    try {
      return await Promise.race([answer, tooLate]);
    } finally {
      tooLate.catch(() => undefined);
      answered.abort();
    }
  }
}

const later = (now: Date, ms: number) => new Date(now.getTime() + ms);
