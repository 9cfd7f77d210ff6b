import { DomainError } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { StatementRepository } from '../accounts/statement.repository.js';
import type { Hold } from '../holds/hold.domain.js';
import { HoldRepository } from '../holds/hold.repository.js';
import { isEarningsPosting, isUserPosting, userAccount } from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';

/** Holds, entries and statement lines of one source that are told of. */
const ROWS_MAX = 200;

/** One thing that happened, as an operator reads it. */
export interface Step {
  readonly at: Date;
  readonly what: string;
  /** The hold or entry it is about. */
  readonly id: string;
  readonly account: string;
  readonly amount: number | null;
  readonly balanceAfter: number | null;
  readonly note: string;
}

/**
 * The whole story behind an entry, a hold, a purchase, a job or a payment, in the order of time: what was set
 * aside and what became of it, and each entry with all its postings. Changes nothing.
 *
 * Fails with: ledger.story.not_found.
 */
@UseCase('ledger.explain')
export class Explain {
  constructor(
    private readonly journal: JournalRepository,
    private readonly holds: HoldRepository,
    private readonly statements: StatementRepository,
  ) {}

  async execute(id: string): Promise<Step[]> {
    const sourceId = await this.sourceOf(id);
    const steps = [...(await this.holdSteps(sourceId)), ...(await this.entrySteps(sourceId, id))];
    if (steps.length === 0) throw notFound(id);
    return steps.sort((a, b) => a.at.getTime() - b.at.getTime());
  }

  private async sourceOf(id: string): Promise<string> {
    if (id.startsWith('hld_')) return (await this.holds.load(id))?.sourceId ?? id;
    if (id.startsWith('jrn_')) return (await this.journal.byIds([id]))[0]?.sourceId ?? id;
    return id;
  }

  private async holdSteps(sourceId: string): Promise<Step[]> {
    const holds = await this.holds.ofSource(sourceId, ROWS_MAX);
    return holds.flatMap(stepsOfHold);
  }

  private async entrySteps(sourceId: string, askedId: string): Promise<Step[]> {
    const lines = await this.statements.ofSource(sourceId, ROWS_MAX);
    const balances = new Map(
      lines.map((line) => [`${line.entryId} ${userAccount(line.userId)}`, line.balanceAfter]),
    );
    const entries = new Map(
      [...(await this.journal.ofSource(sourceId, ROWS_MAX)), ...(await this.journal.byIds([askedId]))].map(
        (entry) => [entry.id, entry],
      ),
    );
    return [...entries.values()].flatMap((entry) =>
      entry.postings.map((posting) => ({
        at: entry.createdAt,
        what: isUserPosting(posting) ? posting.type : isEarningsPosting(posting) ? 'earnings' : 'platform',
        id: entry.id,
        account: posting.account,
        amount: posting.amount,
        balanceAfter: balances.get(`${entry.id} ${posting.account}`) ?? null,
        note: entry.reverses ? `${entry.causeId}, reverses ${entry.reverses}` : entry.causeId,
      })),
    );
  }
}

function stepsOfHold({ id, amount, status, ...hold }: Hold): Step[] {
  const { capturedAmount, createdAt, endedAt, expiredAt, expiresAt } = hold;
  const [account, givenBack] = [userAccount(hold.userId), `${amount} given back`];
  const note = `until ${expiresAt.toISOString()}`;
  const held = { at: createdAt, what: 'held', id, account, amount, balanceAfter: null, note };
  if (!endedAt) return [held];
  const expired = { ...held, at: expiredAt ?? endedAt, what: 'expired', amount: 0, note: givenBack };
  const left =
    status === 'captured' ? `${capturedAmount} of ${amount}${expiredAt ? ' (late)' : ''}` : givenBack;
  const end = { ...held, at: endedAt, what: status, amount: capturedAmount, note: left };
  return [held, ...(expiredAt ? [expired] : []), end];
}

const notFound = (id: string) =>
  new DomainError({
    kind: 'not_found',
    code: 'ledger.story.not_found',
    detail: `The ledger has no entry and no hold of ${id}.`,
  });
