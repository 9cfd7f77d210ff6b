import { Clock, type Context, type Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { EndPayout } from './end-payout.js';
import {
  approvePayout,
  cancelPayout,
  isDecidedSince,
  payoutNotFound,
  rejectPayout,
  type PayoutRequest,
} from './payout-request.domain.js';
import { PayoutRequestRepository } from './payout-request.repository.js';

export type Decision =
  | { readonly decision: 'approve' }
  | { readonly decision: 'reject'; readonly reason: string }
  /** By the seller, who sees only their own. */
  | { readonly decision: 'cancel' };

/**
 * Decides on a payout that was requested: another admin allows or refuses it, or the seller takes it back.
 *
 * Emits: PayoutApproved, PayoutRejected or PayoutCanceled; CreditsGranted when the credits are back.
 * Fails with: ledger.payout.not_found | own | transition, ledger.account.not_a_user | busy.
 */
@UseCase('ledger.decide-payout')
export class DecidePayout {
  constructor(
    private readonly payouts: PayoutRequestRepository,
    private readonly endPayout: EndPayout,
    private readonly clock: Clock,
  ) {}

  async execute(id: Id<'pyo'>, decision: Decision, context: Context): Promise<PayoutRequest> {
    const now = this.clock.now();
    const caller = callerOf(context);
    const payout =
      decision.decision === 'cancel'
        ? await this.payouts.load(id, { userId: caller })
        : await this.payouts.loadAcrossOwners(id, 'moderation');
    if (!payout) throw payoutNotFound();
    const firstSeenAt = context.idempotency?.firstSeenAt;
    if (firstSeenAt && isDecidedSince(payout, decision.decision, caller, firstSeenAt)) return payout;
    if (decision.decision === 'approve')
      return this.payouts.save(approvePayout(payout, caller, now), context);
    const change =
      decision.decision === 'reject'
        ? rejectPayout(payout, caller, decision.reason, now)
        : cancelPayout(payout, now);
    return this.endPayout.execute(change, context);
  }
}
