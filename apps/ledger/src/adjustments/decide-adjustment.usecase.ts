import { Clock, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { AccountTurns } from '../accounts/account-turns.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { PostEntry } from '../journal/post-entry.usecase.js';
import { adjustmentApproved } from '../journal/posting-rules/adjustment-approved.domain.js';
import {
  adjustmentNotFound,
  approveAdjustment,
  assertMayApprove,
  isDecidedSince,
  overdrawn,
  rejectAdjustment,
  type Adjustment,
} from './adjustment.domain.js';
import { AdjustmentRepository } from './adjustment.repository.js';

export type AdjustmentDecision =
  { readonly to: 'approved' } | { readonly to: 'rejected'; readonly reason: string };

/**
 * Approves an adjustment and posts it in the same transaction, or rejects it. Of two admins who decide at the
 * same time one does; the other is told that it is decided.
 *
 * Emits: AdjustmentApproved and CreditsGranted or CreditsSpent; or AdjustmentRejected.
 * Fails with: ledger.adjustment.not_found | same_person | decided | overdrawn, ledger.account.busy.
 */
@UseCase('ledger.decide-adjustment')
export class DecideAdjustment {
  constructor(
    private readonly database: Database,
    private readonly adjustments: AdjustmentRepository,
    private readonly accounts: AccountRepository,
    private readonly turns: AccountTurns,
    private readonly postEntry: PostEntry,
    private readonly clock: Clock,
  ) {}

  async execute(id: Adjustment['id'], decision: AdjustmentDecision, context: Context): Promise<Adjustment> {
    const adjustment = await this.adjustments.loadAcrossOwners(id, 'moderation');
    if (!adjustment) throw adjustmentNotFound();
    const adminId = context.actor.id;
    const firstSeenAt = context.idempotency?.firstSeenAt;
    if (firstSeenAt && isDecidedSince(adjustment, decision.to, adminId, firstSeenAt)) return adjustment;
    if (decision.to === 'rejected') {
      const { reason } = decision;
      const change = rejectAdjustment(adjustment, { rejectedById: adminId, reason }, this.clock.now());
      return this.adjustments.save(change, context);
    }
    assertMayApprove(adjustment, adminId);
    return this.turns.take([adjustment.userId], () =>
      this.database.transaction(() => this.approve(adjustment, context)),
    );
  }

  private async approve(adjustment: Adjustment, context: Context): Promise<Adjustment> {
    const entry = await this.postEntry.execute(adjustmentApproved(adjustment), context);
    // Its entry is there: somebody else approved it since it was loaded. `save` below would find that out too.
    if (!entry) {
      const current = await this.adjustments.loadAcrossOwners(adjustment.id, 'moderation');
      assertMayApprove(current ?? adjustment, context.actor.id);
      throw new Error(`${adjustment.id} is pending and its entry is posted: the books and it disagree`);
    }
    if (adjustment.amount < 0 && !adjustment.allowNegative) {
      // The balance is locked by the entry, so this is what it will be; the refusal undoes the entry.
      const available = (await this.accounts.load(adjustment.userId))?.available ?? 0;
      if (available < 0) throw overdrawn(adjustment, available - adjustment.amount);
    }
    const decision = { approvedById: context.actor.id, entryId: entry.id };
    return this.adjustments.save(approveAdjustment(adjustment, decision, this.clock.now()), context);
  }
}
