import { Clock, type Context } from '@atelier/kernel';
import { duplicateKeyFields } from '@atelier/persistence';
import { InjectConfig, UseCase } from '@atelier/service';
import { turned, type CreditBalance } from '../accounts/account.domain.js';
import { assertBalanced } from '../journal/entry.domain.js';
import { GroupCommit } from '../journal/group-commit.js';
import { JournalRepository } from '../journal/journal.repository.js';
import { recordEntry, type Recording } from '../journal/record-entry.js';
import type { Sheet } from '../journal/sheet.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import {
  monthsDue,
  regenerate,
  startOf,
  turnCauses,
  turnEntries,
  type Month,
  type Turn,
} from './regeneration.domain.js';

export type RegenerationConfig = Pick<
  LedgerConfig,
  | 'REGENERATION_CREDITS'
  | 'REGENERATION_ROLLOVER_CREDITS_MAX'
  | 'REGENERATION_CATCH_UP_MONTHS_MAX'
  | 'REGENERATION_SHARD_ACCOUNTS'
  | 'REGENERATION_BATCH_MAX'
  | 'REGENERATION_CONCURRENCY_MAX'
  | 'REGENERATION_PAUSE_MS'
  | 'REGENERATION_LEASE_MS'
>;

/** Causes that have their entries. */
type Posted = ReadonlySet<string>;
const NOTHING: Posted = new Set();
const BEGINNING = new Date(0);

/**
 * Regenerates one account for every month that it has missed, in one transaction, which it shares with those that
 * are regenerated at the same time: whoever comes second finds nothing more to do, and a spend at the same time is
 * before or after it.
 *
 * Emits: CreditsSpent (`rollover_expiry`) and CreditsGranted (`earn_regeneration`) per month.
 * Fails with: platform.transaction.contended, ledger.account.busy, ledger.journal.busy.
 */
@UseCase('ledger.regenerate-account')
export class RegenerateAccount {
  constructor(
    private readonly group: GroupCommit,
    private readonly journal: JournalRepository,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: RegenerationConfig,
  ) {}

  /** Answers the turns that were posted. Not to be called in a transaction, which a month posted before would end. */
  async execute(userId: CreditBalance['id'], through: Month, context: Context): Promise<readonly Turn[]> {
    const run = (posted: Posted) =>
      this.group.run({
        users: [userId],
        afresh: true,
        decide: (sheet) => this.turn(sheet, userId, through, posted, { context, now: this.clock.now() }),
      });
    try {
      return await run(NOTHING);
    } catch (error) {
      if (!duplicateKeyFields(error)?.includes('causeId')) throw error;
      // A month has its entries, and only the note of it on the balance was lost.
      const causes = this.due(BEGINNING, through).flatMap((month) => turnCauses(userId, month));
      return run(await this.journal.postedOf(causes));
    }
  }

  /** What `execute` would post now. Changes nothing. */
  preview(balance: CreditBalance, through: Month): readonly Turn[] {
    return this.turnsOf(balance, this.due(balance.lastRegeneratedAt, through));
  }

  private turn(
    sheet: Sheet,
    userId: CreditBalance['id'],
    through: Month,
    posted: Posted,
    recording: Recording,
  ) {
    const before = sheet.balance(userId, recording.now);
    const due = this.due(before.lastRegeneratedAt, through);
    const last = due.at(-1);
    if (!last) return [];
    const isPosted = (month: Month) => turnCauses(userId, month).some((cause) => posted.has(cause));
    const turns = this.turnsOf(
      before,
      due.filter((month) => !isPosted(month)),
    );
    for (const draft of turns.flatMap((turn) => turnEntries(userId, turn))) {
      assertBalanced(draft);
      recordEntry(sheet, draft, recording);
    }
    sheet.put(turned(sheet.balance(userId, recording.now), startOf(last)));
    return turns;
  }

  private due(lastRegeneratedAt: Date, through: Month): Month[] {
    return monthsDue(lastRegeneratedAt, through, this.config.REGENERATION_CATCH_UP_MONTHS_MAX);
  }

  private turnsOf(balance: CreditBalance, months: readonly Month[]): Turn[] {
    return regenerate(balance, months, {
      credits: this.config.REGENERATION_CREDITS,
      rolloverCreditsMax: this.config.REGENERATION_ROLLOVER_CREDITS_MAX,
    });
  }
}
