import { Clock, type Context, type Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { disablePayoutMethod, payoutMethodNotFound } from './payout-method.domain.js';
import { PayoutProviders } from '../payouts/providers/payout-providers.js';
import { PayoutMethodRepository } from './payout-method.repository.js';

/**
 * Takes a method out of use, for good. What was requested before is still paid to it; a code that has not left yet
 * is not sent.
 *
 * Fails with: ledger.account.not_a_user, ledger.payout_method.not_found.
 */
@UseCase('ledger.disable-payout-method')
export class DisablePayoutMethod {
  constructor(
    private readonly methods: PayoutMethodRepository,
    private readonly providers: PayoutProviders,
    private readonly clock: Clock,
  ) {}

  async execute(id: Id<'pym'>, context: Context): Promise<void> {
    const method = await this.methods.load(id, { userId: callerOf(context) });
    if (!method) throw payoutMethodNotFound();
    const change = disablePayoutMethod(method, this.clock.now());
    if (change.state !== method) await this.methods.save(change, context);
    // Also for a repeat: the first may have died here.
    await this.providers.withdrawCode(method);
  }
}
