import type { Context } from '@atelier/kernel';
import type { PageRequest } from '@atelier/persistence';
import { UseCase, type Page } from '@atelier/service';
import type { ReferralsView } from '@atelier/contracts/ledger/referrals.api';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { PersonRepository } from './person.repository.js';
import type { Referral } from './referral.domain.js';
import { ReferralRepository } from './referral.repository.js';

/**
 * The caller's own code, what it has brought so far, and one page of it, newest first.
 *
 * Fails with: ledger.account.not_a_user, platform.cursor.invalid.
 */
@UseCase('ledger.read-referrals')
export class ReadReferrals {
  constructor(
    private readonly people: PersonRepository,
    private readonly referrals: ReferralRepository,
  ) {}

  async execute(
    page: PageRequest<Referral>,
    context: Context,
  ): Promise<Pick<ReferralsView, 'code' | 'totals'> & Page<Referral>> {
    const userId = callerOf(context);
    const [person, totals, list] = await Promise.all([
      this.people.load(userId),
      this.referrals.totals(userId),
      this.referrals.list(userId, page),
    ]);
    return { code: person?.ownCode ?? null, totals, ...list };
  }
}
