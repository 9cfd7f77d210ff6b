import type { Id } from '@atelier/kernel';

/** In the order in which they leave: what is owed comes before what proves an account. It is that of the alphabet. */
export const TRANSFER_PURPOSES = ['payout', 'verification'] as const;

/** A transfer that somebody carries to the bank in a file. */
export interface BankTransfer {
  /** The payout's id, or for a verification the method's. */
  readonly _id: string;
  readonly purpose: (typeof TRANSFER_PURPOSES)[number];
  readonly providerAccountId: string;
  readonly amount: number;
  readonly currency: string;
  /** What the receiver reads on the statement. */
  readonly text: string;
  readonly status: 'ordered' | 'paid' | 'failed';
  readonly reason?: string;
  /** The file that it left in; a transfer leaves once. */
  readonly bankFileId: Id<'bkf'> | null;
  /** The version of the file that its confirmation made: each confirmation has its own. */
  readonly fileVersion?: number;
  readonly createdAt: Date;
}
