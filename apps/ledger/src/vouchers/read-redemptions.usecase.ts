import type { Context } from '@atelier/kernel';
import type { PageRequest } from '@atelier/persistence';
import { UseCase, type Page } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import type { Redemption } from './redemption.domain.js';
import { RedemptionRepository } from './redemption.repository.js';

/**
 * One page of the vouchers that the caller has used, newest first.
 *
 * Fails with: ledger.account.not_a_user, platform.cursor.invalid.
 */
@UseCase('ledger.read-redemptions')
export class ReadRedemptions {
  constructor(private readonly redemptions: RedemptionRepository) {}

  execute(page: PageRequest<Redemption>, context: Context): Promise<Page<Redemption>> {
    return this.redemptions.list(callerOf(context), page);
  }
}
