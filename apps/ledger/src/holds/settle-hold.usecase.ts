import { Clock, type Context, type DomainEvent } from '@atelier/kernel';
import { counter, Logger } from '@atelier/observability';
import { afterCommit, Database, Outbox } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { CreditsReleased } from '@atelier/contracts/ledger/credits.events';
import { AccountTurns } from '../accounts/account-turns.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { userOf, userPostings, type EntryDraft } from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';
import {
  heldBy,
  holdNotFound,
  settleHold,
  type Hold,
  type ReleaseReason,
  type Settlement,
} from './hold.domain.js';
import { HoldRepository } from './hold.repository.js';

const lateCaptures = counter(
  'atelier_ledger_late_captures_total',
  'Holds that were captured after they had expired. Each one is an alert.',
);

/**
 * Ends a hold: captures it with the entry that a fact asks for, or gives its credits back. Of several that end it
 * at the same time one does, and the others answer the hold as it then is.
 *
 * Emits: CreditsSpent (and CreditsGranted to who earns) on capture, CreditsReleased for what is given back.
 * Fails with: ledger.hold.not_found, ledger.hold.released, ledger.hold.amount_exceeded, ledger.entry.unbalanced.
 */
@UseCase('ledger.settle-hold')
export class SettleHold {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly holds: HoldRepository,
    private readonly accounts: AccountRepository,
    private readonly turns: AccountTurns,
    private readonly journal: JournalRepository,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  async execute(settlement: Settlement, context: Context): Promise<Hold | undefined> {
    if (settlement.end === 'release' && settlement.mayBeMissing) {
      if (!(await this.holds.load(settlement.holdId))) return undefined;
    }
    const users =
      settlement.end === 'capture'
        ? userPostings(settlement.entry).map(({ account }) => userOf(account))
        : [(await this.load(settlement.holdId)).userId];
    return this.turns.take(users, () => this.database.transaction(() => this.settle(settlement, context)));
  }

  private async settle(settlement: Settlement, context: Context): Promise<Hold> {
    const now = this.clock.now();
    const before = await this.load(settlement.holdId);
    const after = settleHold(before, settlement, now);
    if (after === before) return before;
    await this.holds.end(before, after);
    if (settlement.end === 'capture') await this.capture(before, after, settlement.entry, context, now);
    else
      await this.giveBack(after, settlement.end === 'expire' ? 'expired' : settlement.reason, context, now);
    return after;
  }

  private async load(holdId: Hold['id']): Promise<Hold> {
    const hold = await this.holds.load(holdId);
    if (!hold) throw holdNotFound(holdId);
    return hold;
  }

  private async capture(
    before: Hold,
    after: Hold,
    entry: EntryDraft,
    context: Context,
    now: Date,
  ): Promise<void> {
    const late = before.status === 'expired';
    const rest = late ? 0 : after.amount - after.capturedAmount;
    await this.journal.post(entry, context, now, {
      holdId: after.id,
      userId: after.userId,
      heldCredits: heldBy(before),
      late,
      events: rest > 0 ? [released(after, rest, 'partly_captured')] : [],
    });
    if (late) {
      afterCommit(() => {
        lateCaptures.inc();
        this.log.warn(
          { holdId: after.id, sourceId: after.sourceId, userId: after.userId },
          'captured after expiry',
        );
      });
    }
  }

  private async giveBack(hold: Hold, reason: ReleaseReason, context: Context, now: Date): Promise<void> {
    const { version } = await this.accounts.giveBack(hold.userId, hold.amount, now);
    await this.database.transaction((session) =>
      this.outbox.append([released(hold, hold.amount, reason)], version, context, session, now),
    );
  }
}

function released({ id, userId, type, sourceId }: Hold, amount: number, reason: ReleaseReason): DomainEvent {
  return CreditsReleased(userId, { holdId: id, userId, amount, type, sourceId, reason });
}
