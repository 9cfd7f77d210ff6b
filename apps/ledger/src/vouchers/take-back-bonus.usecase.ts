import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { PaymentRefunded } from '@atelier/contracts/commerce/payment.events';
import { JournalRepository } from '../journal/journal.repository.js';
import { bonusRefunded } from '../journal/posting-rules/payment-refunded.domain.js';
import { RedemptionRepository } from './redemption.repository.js';

/**
 * Takes back the percentage that a payment carried, when its money was given back. The redemption stays as it is
 * (R480): the voucher was used, and does not wait again.
 *
 * Emits: CreditsSpent.
 */
@UseCase('ledger.take-back-bonus')
export class TakeBackBonus {
  constructor(
    private readonly redemptions: RedemptionRepository,
    private readonly journal: JournalRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ paymentId, userId }: typeof PaymentRefunded.example, context: Context): Promise<void> {
    const redemption = await this.redemptions.ofPayment(paymentId, userId);
    if (!redemption?.entryId) return;
    const [bonus] = await this.journal.byIds([redemption.entryId]);
    if (!bonus) throw new Error(`${redemption.id} names ${redemption.entryId}, and the journal has lost it`);
    await this.journal.post(bonusRefunded(redemption, bonus), context, this.clock.now());
  }
}
