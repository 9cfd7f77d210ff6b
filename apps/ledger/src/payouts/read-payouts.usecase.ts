import type { Context, Id } from '@atelier/kernel';
import type { PageRequest } from '@atelier/persistence';
import { UseCase, type Page } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { payoutNotFound, type PayoutRequest, type PayoutStatus } from './payout-request.domain.js';
import { PayoutRequestRepository } from './payout-request.repository.js';

/**
 * The caller's payouts, newest first; for admins everybody's of one status, the oldest first.
 *
 * Fails with: ledger.account.not_a_user, ledger.payout.not_found, platform.cursor.invalid.
 */
@UseCase('ledger.read-payouts')
export class ReadPayouts {
  constructor(private readonly payouts: PayoutRequestRepository) {}

  execute(page: PageRequest<PayoutRequest>, context: Context): Promise<Page<PayoutRequest>> {
    return this.payouts.ofUser(callerOf(context), page);
  }

  queue(status: PayoutStatus, page: PageRequest<PayoutRequest>): Promise<Page<PayoutRequest>> {
    return this.payouts.queue(status, page);
  }

  async one(id: Id<'pyo'>, context: Context): Promise<PayoutRequest> {
    const payout = await this.payouts.load(id, { userId: callerOf(context) });
    if (!payout) throw payoutNotFound();
    return payout;
  }
}
