import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { PayoutPaid, PayoutRequested } from '@atelier/contracts/ledger/payout.events';
import type { EntryDraft } from './entry.domain.js';
import { JournalRepository } from './journal.repository.js';
import { payoutPaid, payoutReturned } from './posting-rules/payout-ended.domain.js';
import { payoutCause, payoutRequested } from './posting-rules/payout-requested.domain.js';

type PayoutFact = typeof PayoutRequested.example;
export type PayoutStep =
  | { readonly step: 'requested' | 'returned'; readonly payout: PayoutFact }
  | { readonly step: 'paid'; readonly payout: typeof PayoutPaid.example };

/**
 * Posts one step of a payout. A step that has its entry already changes nothing.
 *
 * Emits: CreditsSpent for a request, CreditsGranted for one that is given back.
 */
@UseCase('ledger.post-payout')
export class PostPayout {
  constructor(
    private readonly journal: JournalRepository,
    private readonly clock: Clock,
  ) {}

  async execute(step: PayoutStep, context: Context): Promise<void> {
    await this.journal.post(await this.draftOf(step), context, this.clock.now());
  }

  private async draftOf(step: PayoutStep): Promise<EntryDraft> {
    if (step.step === 'requested') return payoutRequested(step.payout);
    if (step.step === 'paid') return payoutPaid(step.payout);
    const { payoutId } = step.payout;
    const request = await this.journal.findByCause(payoutCause(payoutId));
    if (!request) throw new Error(`${payoutId} has no entry to undo: replay its PayoutRequested first`);
    return payoutReturned(step.payout, request);
  }
}
