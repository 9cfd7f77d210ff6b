import type { PageRequest } from '@atelier/persistence';
import { UseCase, type Page } from '@atelier/service';
import { adjustmentNotFound, type Adjustment } from './adjustment.domain.js';
import { AdjustmentRepository, type AdjustmentFilter } from './adjustment.repository.js';

/**
 * Adjustments for admins, newest first.
 *
 * Fails with: ledger.adjustment.not_found, platform.cursor.invalid.
 */
@UseCase('ledger.read-adjustments')
export class ReadAdjustments {
  constructor(private readonly adjustments: AdjustmentRepository) {}

  execute(filter: AdjustmentFilter, page: PageRequest<Adjustment>): Promise<Page<Adjustment>> {
    return this.adjustments.list(filter, page);
  }

  async one(id: Adjustment['id']): Promise<Adjustment> {
    const adjustment = await this.adjustments.loadAcrossOwners(id, 'moderation');
    if (!adjustment) throw adjustmentNotFound();
    return adjustment;
  }
}
