import { Clock, idFor, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { RequestAdjustmentRequest } from '@atelier/contracts/ledger/adjustments.api';
import { assertNotErased } from '../accounts/account.domain.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { accountNotFound, requestAdjustment, type Adjustment } from './adjustment.domain.js';
import { AdjustmentRepository } from './adjustment.repository.js';

/**
 * Asks for a change of somebody's credits; nothing moves before another admin approves it.
 *
 * Emits: AdjustmentRequested.
 * Fails with: ledger.adjustment.no_account, ledger.account.erased.
 */
@UseCase('ledger.request-adjustment')
export class RequestAdjustment {
  constructor(
    private readonly adjustments: AdjustmentRepository,
    private readonly accounts: AccountRepository,
    private readonly clock: Clock,
  ) {}

  async execute(request: RequestAdjustmentRequest, context: Context): Promise<Adjustment> {
    const account = await this.accounts.load(request.userId);
    if (!account) throw accountNotFound(request.userId);
    assertNotErased(account);
    const id = idFor(context, 'adj');
    const change = requestAdjustment({ id, ...request }, context.actor.id, this.clock.now());
    return this.adjustments.save(change, context);
  }
}
