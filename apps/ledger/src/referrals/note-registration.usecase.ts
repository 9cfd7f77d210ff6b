import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { UserRegistered } from '@atelier/contracts/identity/user.events';
import { PersonRepository } from './person.repository.js';
import { toReferralCode } from './referral.domain.js';
import { SettleReferral } from './settle-referral.usecase.js';

/**
 * People who came with a code before its owner's registration arrived. It takes events in the wrong order to have
 * any; those beyond the limit are settled by their first payment.
 */
const EARLY_REFEREES_MAX = 100;

/**
 * Notes a new person's own code and the code they came with, and settles what that makes clear: their own
 * referral, and those of people who came with their code and were heard of first.
 *
 * Emits: what SettleReferral emits.
 */
@UseCase('ledger.note-registration')
export class NoteRegistration {
  constructor(
    private readonly people: PersonRepository,
    private readonly settleReferral: SettleReferral,
  ) {}

  async execute(user: typeof UserRegistered.example, context: Context): Promise<void> {
    const { userId, ownReferralCode, referralCode, ipAddressHash } = user;
    const person = await this.people.registered({
      userId,
      ...(ownReferralCode ? { ownCode: toReferralCode(ownReferralCode) } : {}),
      ...(referralCode ? { cameWithCode: toReferralCode(referralCode) } : {}),
      ...(ipAddressHash ? { ipAddressHash } : {}),
    });
    await this.settleReferral.execute(person, context);
    if (!person.ownCode) return;
    await this.people.contend(person.ownCode);
    for (const early of await this.people.cameWith(person.ownCode, EARLY_REFEREES_MAX)) {
      await this.settleReferral.execute(early, context);
    }
  }
}
