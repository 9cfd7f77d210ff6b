import type { Id } from '@atelier/kernel';

/** A transfer that somebody carries to the bank in a file. */
export interface BankTransfer {
  /** The payout's id, or for a verification the method's. */
  readonly _id: string;
  readonly providerAccountId: string;
  readonly amount: number;
  readonly currency: string;
  /** What the receiver reads on the statement. */
  readonly text: string;
  readonly status: 'ordered' | 'paid' | 'failed';
  readonly reason?: string;
  /** The file that it left in; a transfer leaves once. */
  readonly bankFileId: Id<'bkf'> | null;
  readonly createdAt: Date;
}
