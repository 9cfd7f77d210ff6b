import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PostEntry } from '../journal/post-entry.usecase.js';
import { voucherRedeemed } from '../journal/posting-rules/voucher-redeemed.domain.js';
import { grantBonus, type Redemption } from './redemption.domain.js';
import { RedemptionRepository } from './redemption.repository.js';

/**
 * Grants the oldest percentage that waited when this purchase of credits was paid, once per payment. A payment
 * that was made before the voucher was redeemed is not its next purchase, however late it is told.
 *
 * Emits: CreditsGranted.
 */
@UseCase('ledger.grant-bonus')
export class GrantBonus {
  constructor(
    private readonly redemptions: RedemptionRepository,
    private readonly postEntry: PostEntry,
    private readonly clock: Clock,
  ) {}

  async execute(payment: typeof PaymentSucceeded.example, context: Context): Promise<Redemption | undefined> {
    const { paymentId, userId, purpose, credits = 0, succeededAt } = payment;
    if (purpose !== 'credit_package') return undefined;
    const granted = await this.redemptions.ofPayment(paymentId, userId);
    if (granted) return granted;
    const waiting = await this.redemptions.oldestPending(userId, new Date(succeededAt));
    const change = waiting && grantBonus(waiting, { paymentId, credits }, this.clock.now());
    const draft = change && voucherRedeemed(change.state);
    if (!draft) return undefined;
    const entry = await this.postEntry.execute(draft, context);
    if (!entry)
      throw new Error(`${waiting.id} is pending and its entry is posted: the books and it disagree`);
    return this.redemptions.save({ ...change, state: { ...change.state, entryId: entry.id } }, context);
  }
}
