import type { Context, Id } from '@atelier/kernel';
import type { PageRequest } from '@atelier/persistence';
import { UseCase, type Page } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { payoutMethodNotFound, type PayoutMethod } from './payout-method.domain.js';
import { PayoutMethodRepository } from './payout-method.repository.js';

/**
 * The caller's payout methods, disabled ones included: payouts name them.
 *
 * Fails with: ledger.account.not_a_user, ledger.payout_method.not_found, platform.cursor.invalid.
 */
@UseCase('ledger.read-payout-methods')
export class ReadPayoutMethods {
  constructor(private readonly methods: PayoutMethodRepository) {}

  execute(page: PageRequest<PayoutMethod>, context: Context): Promise<Page<PayoutMethod>> {
    return this.methods.ofUser(callerOf(context), page);
  }

  async one(id: Id<'pym'>, context: Context): Promise<PayoutMethod> {
    const method = await this.methods.load(id, { userId: callerOf(context) });
    if (!method) throw payoutMethodNotFound();
    return method;
  }
}
