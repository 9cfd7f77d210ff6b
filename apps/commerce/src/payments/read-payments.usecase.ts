import type { Context } from '@atelier/kernel';
import type { PageRequest } from '@atelier/persistence';
import { UseCase, type Page } from '@atelier/service';
import { callerOf } from '../caller.js';
import { paymentNotFound, type Payment } from './payment.domain.js';
import { PaymentRepository } from './payment.repository.js';

/**
 * One of the caller's payments.
 * Fails with: commerce.payment.not_found.
 */
@UseCase('commerce.read-payment')
export class ReadPayment {
  constructor(private readonly payments: PaymentRepository) {}

  async execute(paymentId: string, context: Context): Promise<Payment> {
    const payment = await this.payments.load(paymentId, { userId: callerOf(context) });
    if (!payment) throw paymentNotFound();
    return payment;
  }
}

/** The caller's payments, newest first. */
@UseCase('commerce.list-payments')
export class ListPayments {
  constructor(private readonly payments: PaymentRepository) {}

  execute(page: PageRequest<Payment>, context: Context): Promise<Page<Payment>> {
    return this.payments.ofUser(callerOf(context), page);
  }
}
