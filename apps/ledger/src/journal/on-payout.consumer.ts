import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import {
  PayoutCanceled,
  PayoutFailed,
  PayoutPaid,
  PayoutRejected,
  PayoutRequested,
} from '@atelier/contracts/ledger/payout.events';
import { PostPayout } from './post-payout.usecase.js';

type PayoutFact =
  | typeof PayoutRequested
  | typeof PayoutPaid
  | typeof PayoutFailed
  | typeof PayoutRejected
  | typeof PayoutCanceled;

/**
 * The ledger's own facts. It posted each of them before it stated it, so this finds the entry there; in a ledger
 * that is rebuilt from its topics it posts them again, and the balances come out the same (promise 23).
 */
@Consumer({
  id: 'ledger.on-payout',
  group: 'ledger.journal',
  consumes: [PayoutRequested, PayoutPaid, PayoutFailed, PayoutRejected, PayoutCanceled],
})
export class OnPayout implements Consumes<PayoutFact> {
  constructor(private readonly postPayout: PostPayout) {}

  async handle({ type, data }: EventOf<PayoutFact>, context: Context): Promise<void> {
    if ('paidAt' in data) await this.postPayout.execute({ step: 'paid', payout: data }, context);
    else
      await this.postPayout.execute(
        { step: type === PayoutRequested.type ? 'requested' : 'returned', payout: data },
        context,
      );
  }
}
