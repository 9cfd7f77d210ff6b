import type { Context } from '@atelier/kernel';
import { UseCase, type Page } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import type { Hold } from './hold.domain.js';
import { HoldRepository } from './hold.repository.js';

/**
 * One page of the caller's open holds, newest first: why `available` is less than `settled`.
 *
 * Fails with: ledger.account.not_a_user, platform.cursor.invalid.
 */
@UseCase('ledger.read-open-holds')
export class ReadOpenHolds {
  constructor(private readonly holds: HoldRepository) {}

  execute(page: { limit: number; cursor?: string | undefined }, context: Context): Promise<Page<Hold>> {
    return this.holds.openOf(callerOf(context), page.limit, page.cursor);
  }
}
