import { Clock, DomainError, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { PaymentRefunded } from '@atelier/contracts/commerce/payment.events';
import type { Entry } from './entry.domain.js';
import { JournalRepository } from './journal.repository.js';
import { paymentRefunded } from './posting-rules/payment-refunded.domain.js';
import { paymentCause } from './posting-rules/payment-succeeded.domain.js';

/**
 * Takes back the credits of a package whose money was given back (R253), by an entry of its own. A payment that
 * bought no credits has none to give.
 *
 * Emits: CreditsSpent.
 * Fails with: ledger.payment.not_posted.
 */
@UseCase('ledger.refund-payment')
export class RefundPayment {
  constructor(
    private readonly journal: JournalRepository,
    private readonly clock: Clock,
  ) {}

  async execute(refund: typeof PaymentRefunded.example, context: Context): Promise<Entry | undefined> {
    if ((refund.credits ?? 0) === 0) return undefined;
    const payment = await this.journal.findByCause(paymentCause(refund.paymentId));
    if (!payment) {
      throw new DomainError({
        kind: 'conflict',
        code: 'ledger.payment.not_posted',
        detail: `${refund.paymentId} has no entry to take back. Replay its PaymentSucceeded first, then this refund.`,
      });
    }
    return this.journal.post(paymentRefunded(refund, payment), context, this.clock.now());
  }
}
