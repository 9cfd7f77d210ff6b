import { DomainError, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { CreditsView } from '@atelier/contracts/ledger/credits.api';
import type { CreditTransaction } from './account.domain.js';
import { AccountRepository } from './account.repository.js';

/**
 * What the caller has. An account opens with the first fact about its user; until that has arrived it is empty.
 *
 * Fails with: ledger.account.not_a_user.
 */
@UseCase('ledger.read-credits')
export class ReadCredits {
  constructor(private readonly accounts: AccountRepository) {}

  async execute(context: Context): Promise<CreditsView> {
    const balance = await this.accounts.load(callerOf(context));
    return { settled: balance?.settled ?? 0, held: balance?.held ?? 0, available: balance?.available ?? 0 };
  }
}

/** The user who asks, and whose credits are shown: nobody can name somebody else. */
export function callerOf({ actor }: Context): CreditTransaction['userId'] {
  if (actor.kind === 'user') return actor.id as CreditTransaction['userId'];
  throw new DomainError({
    kind: 'forbidden',
    code: 'ledger.account.not_a_user',
    detail: 'Only users have credits. Ask as the user whose credits you mean.',
  });
}
