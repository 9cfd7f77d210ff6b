import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { ownContext } from '../caller.js';
import { settlePayment, paymentNotFound, type Payment, type PaymentOutcome } from './payment.domain.js';
import { PaymentRepository } from './payment.repository.js';

/**
 * Settles a payment by its provider's word, whichever way that came; the version decides between two at once, and the
 * loser finds nothing left to do.
 * Emits: PaymentSucceeded, PaymentFailed, PaymentRefunded or PaymentDisputed; nothing when it was settled so before.
 * Fails with: commerce.payment.not_found|mismatch|transition|too_early.
 */
@UseCase('commerce.settle-payment')
export class SettlePayment {
  constructor(
    private readonly payments: PaymentRepository,
    private readonly clock: Clock,
  ) {}

  /** Facts are told as part of the story that the checkout began; `cause` is what brought the news. */
  async execute(outcome: PaymentOutcome, cause: Pick<Context, 'causationId'>): Promise<Payment> {
    const payment = await this.payments.loadAcrossOwners(outcome.paymentId, 'system');
    if (!payment) throw paymentNotFound();
    const change = settlePayment(payment, outcome, this.clock.now());
    return change ? this.payments.save(change, ownContext(payment.origin, cause.causationId)) : payment;
  }
}
