import { Clock, DomainError, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { CreditsAtView } from '@atelier/contracts/ledger/credits.api';
import { callerOf } from './read-credits.usecase.js';
import { StatementRepository } from './statement.repository.js';

/**
 * What the caller had at a time: the balance after the newest line of then (R241), 0 before the first.
 *
 * Fails with: ledger.account.not_a_user, ledger.statement.not_yet.
 */
@UseCase('ledger.read-credits-at')
export class ReadCreditsAt {
  constructor(
    private readonly statements: StatementRepository,
    private readonly clock: Clock,
  ) {}

  async execute(at: Date, context: Context): Promise<CreditsAtView> {
    if (at > this.clock.now()) throw notYet();
    const line = await this.statements.latestAt(callerOf(context), at);
    return { settled: line?.balanceAfter ?? 0, at: at.toISOString() };
  }
}

const notYet = () =>
  new DomainError({
    kind: 'invalid',
    code: 'ledger.statement.not_yet',
    detail:
      'Nobody knows yet what there will be at that time. Ask for a time that has been, or without a time.',
    errors: [{ pointer: '/at', detail: 'must not be in the future' }],
  });
