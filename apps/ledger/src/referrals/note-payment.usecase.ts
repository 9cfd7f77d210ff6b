import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PersonRepository } from './person.repository.js';
import { SettleReferral } from './settle-referral.usecase.js';

/**
 * Notes that a person has paid, for whatever it was, and completes the referral that brought them.
 *
 * Emits: what SettleReferral emits.
 */
@UseCase('ledger.note-payment')
export class NotePayment {
  constructor(
    private readonly people: PersonRepository,
    private readonly settleReferral: SettleReferral,
  ) {}

  async execute({ userId, paymentId }: typeof PaymentSucceeded.example, context: Context): Promise<void> {
    await this.settleReferral.execute(await this.people.paid(userId, paymentId), context);
  }
}
