import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { Entry, EntryDraft } from './entry.domain.js';
import { JournalRepository } from './journal.repository.js';

/**
 * Posts what a rule has decided on. A cause that has its entry already changes nothing.
 *
 * Emits: CreditsGranted or CreditsSpent for each user it touches.
 * Fails with: ledger.entry.unbalanced, ledger.account.busy, ledger.journal.busy.
 */
@UseCase('ledger.post-entry')
export class PostEntry {
  constructor(
    private readonly journal: JournalRepository,
    private readonly clock: Clock,
  ) {}

  execute(draft: EntryDraft, context: Context): Promise<Entry | undefined> {
    return this.journal.post(draft, context, this.clock.now());
  }
}
