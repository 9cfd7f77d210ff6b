import { Clock, newId, type Context } from '@atelier/kernel';
import { InjectConfig, UseCase } from '@atelier/service';
import { PostEntry } from '../journal/post-entry.usecase.js';
import { referralCompleted } from '../journal/posting-rules/referral-completed.domain.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { PersonRepository } from './person.repository.js';
import { completeReferral, startReferral, type Person, type Referral } from './referral.domain.js';
import { ReferralRepository } from './referral.repository.js';

/**
 * Brings a person's referral to where the facts so far allow: begun when the owner of the code is known,
 * completed and paid for when the person has paid too. Each fact calls it, so their order does not matter, and a
 * repeat finds nothing left to do.
 *
 * Emits: ReferralCompleted, and CreditsGranted to the referrer.
 */
@UseCase('ledger.settle-referral')
export class SettleReferral {
  constructor(
    private readonly people: PersonRepository,
    private readonly referrals: ReferralRepository,
    private readonly postEntry: PostEntry,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute(referee: Person, context: Context): Promise<void> {
    const now = this.clock.now();
    const referral = await this.find(referee, now);
    if (!referral) return;
    if (referral.status !== 'pending' || !referee.firstPaymentId) {
      if (referral.version === 0) await this.referrals.save({ state: referral, events: [] }, context);
      return;
    }
    const credits = this.config.REFERRAL_GRANT_CREDITS;
    const draft = referralCompleted(referral, credits);
    const entry = draft ? await this.postEntry.execute(draft, context) : undefined;
    const change = completeReferral(referral, { credits, entryId: entry?.id }, now);
    if (change) await this.referrals.save(change, context);
  }

  private async find(referee: Person, now: Date): Promise<Referral | undefined> {
    const { userId, cameWithCode } = referee;
    if (!cameWithCode) return undefined;
    const known = await this.referrals.ofReferee(userId);
    if (known) return known;
    const referrer = await this.people.byOwnCode(cameWithCode);
    if (!referrer) await this.people.contend(cameWithCode);
    return referrer && startReferral(newId('ref'), cameWithCode, referrer, referee, now);
  }
}
