import { Injectable } from '@nestjs/common';
import type { Change, Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { PayoutPaid } from '@atelier/contracts/ledger/payout.events';
import { AccountTurns } from '../accounts/account-turns.js';
import { PostPayout } from '../journal/post-payout.usecase.js';
import { factsOf, type PayoutRequest } from './payout-request.domain.js';
import { PayoutRequestRepository } from './payout-request.repository.js';

/**
 * Saves the end of a payout together with its entry: the money has gone out, or the credits are back. Both ends
 * have one cause in the journal and one version in the collection, so only one of them comes about. A step of
 * the use cases that decide on an end: what was decided on an old state is theirs to decide again.
 */
@Injectable()
export class EndPayout {
  constructor(
    private readonly database: Database,
    private readonly payouts: PayoutRequestRepository,
    private readonly turns: AccountTurns,
    private readonly postPayout: PostPayout,
  ) {}

  /**
   * States PayoutPaid; or PayoutRejected, PayoutCanceled or PayoutFailed, with CreditsGranted. Throws VersionConflict,
   * and unavailable `ledger.account.busy`.
   */
  execute(change: Change<PayoutRequest>, context: Context): Promise<PayoutRequest> {
    const paid = change.events.find(({ definition }) => definition === PayoutPaid);
    return this.turns.take([change.state.userId], () =>
      this.database.transaction(async () => {
        const saved = await this.payouts.save(change, context);
        await this.postPayout.execute(
          paid
            ? { step: 'paid', payout: paid.data as typeof PayoutPaid.example }
            : { step: 'returned', payout: factsOf(change.state) },
          context,
        );
        return saved;
      }),
    );
  }
}
