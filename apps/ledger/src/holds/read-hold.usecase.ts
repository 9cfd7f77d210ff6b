import { UseCase } from '@atelier/service';
import { holdNotFound, type Hold } from './hold.domain.js';
import { HoldRepository } from './hold.repository.js';

/**
 * A hold as it is now, for the service that placed it.
 *
 * Fails with: ledger.hold.not_found.
 */
@UseCase('ledger.read-hold')
export class ReadHold {
  constructor(private readonly holds: HoldRepository) {}

  async execute(holdId: Hold['id']): Promise<Hold> {
    const hold = await this.holds.load(holdId);
    if (!hold) throw holdNotFound(holdId);
    return hold;
  }
}
