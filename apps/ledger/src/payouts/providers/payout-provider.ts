import type { PayoutAccount, PAYOUT_METHOD_TYPES } from '@atelier/contracts/ledger/payout-methods.api';
import type { PAYOUT_PROVIDERS } from '@atelier/contracts/ledger/payout.events';

export type PayoutProviderName = (typeof PAYOUT_PROVIDERS)[number];
export type PayoutMethodType = (typeof PAYOUT_METHOD_TYPES)[number];

export interface Transfer {
  /** The key: a provider that gets it twice pays once. */
  readonly payoutId: string;
  readonly providerAccountId: string;
  /** Minor units */
  readonly amount: number;
  readonly currency: string;
}

export type TransferResult =
  | { readonly state: 'pending' }
  | { readonly state: 'paid' }
  /** For good: no money has moved, and none will. */
  | { readonly state: 'failed'; readonly reason: string };

/**
 * What everybody does for us who carries money to people. Each implementation passes `payout-provider.contract.ts`.
 * A call that throws has told nothing: it may have been heard, so it is repeated with the same key.
 */
export interface PayoutProvider {
  readonly name: PayoutProviderName;
  readonly types: readonly PayoutMethodType[];

  /**
   * Takes an account. `providerAccountId` is all that we keep of it, and must not tell the account's number. May be
   * called for methods that are not kept in the end, so nothing is sent yet.
   */
  register(methodId: string, account: PayoutAccount): Promise<{ readonly providerAccountId: string }>;

  /** Sends the account's owner a code, once per method. */
  sendCode(methodId: string, providerAccountId: string): Promise<void>;

  /** The method is disabled: a code that has not left yet stays here. */
  withdrawCode(methodId: string): Promise<void>;

  /** Whether this is the code that was sent to the account. */
  verify(methodId: string, providerAccountId: string, code: string): Promise<boolean>;

  /** Orders a transfer, once per payout. Answers the provider's reference. */
  send(transfer: Transfer): Promise<{ readonly reference: string }>;

  /** What has become of it. */
  result(reference: string): Promise<TransferResult>;
}
