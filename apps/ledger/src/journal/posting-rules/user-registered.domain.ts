import type { UserRegistered } from '@atelier/contracts/identity/user.events';
import { userAccount, type EntryDraft } from '../entry.domain.js';

/** The platform's gift to a new user, once: promotions → user. */
export function userRegistered(
  { userId }: typeof UserRegistered.example,
  starterGrantCredits: number,
): EntryDraft {
  return {
    causeId: `user_registered:${userId}`,
    sourceId: userId,
    postings: [
      { account: 'platform:promotions', asset: 'credits', amount: -starterGrantCredits },
      { account: userAccount(userId), asset: 'credits', amount: starterGrantCredits, type: 'earn_bonus' },
    ],
  };
}
