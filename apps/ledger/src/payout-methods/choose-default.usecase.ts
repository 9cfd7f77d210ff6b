import type { Context, Id } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { payoutMethodNotFound, setDefault, type PayoutMethod } from './payout-method.domain.js';
import { PayoutMethodRepository } from './payout-method.repository.js';

/**
 * Makes a method the caller's default, and the one before no longer, in one transaction: there is one at most.
 *
 * Fails with: ledger.account.not_a_user, ledger.payout_method.not_found, ledger.payout_method.disabled.
 */
@UseCase('ledger.choose-default-payout-method')
export class ChooseDefault {
  constructor(
    private readonly database: Database,
    private readonly methods: PayoutMethodRepository,
  ) {}

  execute(id: Id<'pym'>, context: Context): Promise<PayoutMethod> {
    const userId = callerOf(context);
    return this.database.transaction(async () => {
      const method = await this.methods.load(id, { userId });
      if (!method) throw payoutMethodNotFound();
      if (method.isDefault) return method;
      const before = await this.methods.defaultOf(userId);
      if (before) await this.methods.save(setDefault(before, false), context);
      return this.methods.save(setDefault(method, true), context);
    });
  }
}
