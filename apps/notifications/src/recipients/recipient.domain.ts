import type { ACCOUNT_STATUSES } from '@atelier/contracts/identity/user.events';

/** Where a person can be reached. */
export interface Recipient {
  readonly userId: string;
  /** Null: the account has none, or is deleted. */
  readonly email: string | null;
  readonly displayName: string;
  readonly accountStatus: (typeof ACCOUNT_STATUSES)[number];
}
