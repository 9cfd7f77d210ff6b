import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { PAYOUT_METHOD_TYPES, type PayoutAccount } from '@atelier/contracts/ledger/payout-methods.api';
import { Database } from '@atelier/persistence';
import type { PayoutProvider, Transfer, TransferResult } from './payout-provider.js';

/** The code that every account of the sandbox gets. */
export const SANDBOX_CODE = '424242';
/** Accounts that end like this are closed: a transfer to them fails. */
export const SANDBOX_CLOSED_ACCOUNT = '0000';
const CLOSED = '_closed';

interface SandboxTransfer {
  _id: string;
  providerAccountId: string;
  amount: number;
  currency: string;
}

const schema = new mongoose.Schema<SandboxTransfer>(
  {
    _id: { type: String, required: true },
    providerAccountId: { type: String, required: true },
    amount: { type: Number, required: true },
    currency: { type: String, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
);

/** A provider without money, for development and tests. Its collection stands for the provider's own books. */
@Injectable()
export class SandboxPayoutProvider implements PayoutProvider {
  readonly name = 'sandbox';
  readonly types = PAYOUT_METHOD_TYPES;
  private readonly transfers: mongoose.Model<SandboxTransfer>;

  constructor(database: Database) {
    this.transfers = database.model<SandboxTransfer>('sandbox_transfers', schema);
  }

  async register(methodId: string, account: PayoutAccount): Promise<{ providerAccountId: string }> {
    const digest = createHash('sha256').update(methodId).digest('hex').slice(0, 24);
    const closed = accountNumber(account).endsWith(SANDBOX_CLOSED_ACCOUNT) ? CLOSED : '';
    return { providerAccountId: `sbx_acct_${digest}${closed}` };
  }

  /** Its code is known. */
  async sendCode(): Promise<void> {}

  async withdrawCode(): Promise<void> {}

  async verify(_methodId: string, _providerAccountId: string, code: string): Promise<boolean> {
    return code === SANDBOX_CODE;
  }

  async send({ payoutId, ...transfer }: Transfer): Promise<{ reference: string }> {
    const reference = `sbx_tr_${payoutId}`;
    await this.transfers.collection.updateOne(
      { _id: reference as never },
      { $setOnInsert: transfer },
      { upsert: true },
    );
    return { reference };
  }

  async result(reference: string): Promise<TransferResult> {
    const transfer = await this.transfers.collection.findOne({ _id: reference as never });
    if (!transfer) return { state: 'pending' };
    return String(transfer['providerAccountId']).endsWith(CLOSED)
      ? { state: 'failed', reason: 'account_closed' }
      : { state: 'paid' };
  }
}

function accountNumber(account: PayoutAccount): string {
  if (account.type === 'bank_account') return account.iban;
  return account.type === 'paypal' ? account.email.split('@', 1)[0]! : account.accountId;
}
