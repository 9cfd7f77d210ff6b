import { timingSafeEqual } from 'node:crypto';
import { type Clock } from '@atelier/kernel';
import type { PayoutAccount } from '@atelier/contracts/ledger/payout-methods.api';
import type { BankTransferRepository } from './bank-transfer.repository.js';
import type { PayoutProvider, Transfer, TransferResult } from './payout-provider.js';
import type { AccountSeal } from './sealed-account.js';

/** A verification moves one minor unit: a cost of the platform's own bank account, in no seller's books. */
const VERIFICATION = { amount: 1, currency: 'EUR' };

/**
 * Transfers by hand: they wait in a queue, leave in a file that an admin carries to the bank, and end when the
 * admin writes down what the bank said. An account is verified by a code in the text of a transfer of one cent.
 */
export class BankFileProvider implements PayoutProvider {
  readonly name = 'bank_file';
  readonly types = ['bank_account'] as const;

  constructor(
    private readonly transfers: BankTransferRepository,
    private readonly seal: AccountSeal,
    private readonly clock: Clock,
  ) {}

  async register(methodId: string, account: PayoutAccount): Promise<{ providerAccountId: string }> {
    return { providerAccountId: this.seal.seal(methodId, account) };
  }

  async sendCode(methodId: string, providerAccountId: string): Promise<void> {
    await this.transfers.order({
      _id: methodId,
      ...{ purpose: 'verification', providerAccountId, ...VERIFICATION },
      text: `Atelier ${this.seal.code(methodId)}`,
      createdAt: this.clock.now(),
    });
  }

  async withdrawCode(methodId: string): Promise<void> {
    await this.transfers.withdraw(methodId);
  }

  async verify(methodId: string, _providerAccountId: string, code: string): Promise<boolean> {
    const expected = this.seal.code(methodId);
    return code.length === expected.length && timingSafeEqual(Buffer.from(code), Buffer.from(expected));
  }

  async send({ payoutId, ...transfer }: Transfer): Promise<{ reference: string }> {
    await this.transfers.order({
      _id: payoutId,
      purpose: 'payout',
      ...transfer,
      text: `Atelier ${payoutId}`,
      createdAt: this.clock.now(),
    });
    return { reference: payoutId };
  }

  async result(reference: string): Promise<TransferResult> {
    const transfer = await this.transfers.find(reference);
    if (transfer?.status === 'paid') return { state: 'paid' };
    if (transfer?.status === 'failed') return { state: 'failed', reason: transfer.reason ?? 'unknown' };
    return { state: 'pending' };
  }
}
