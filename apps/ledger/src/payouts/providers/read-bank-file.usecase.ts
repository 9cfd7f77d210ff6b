import { DomainError, type Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { csvLine } from '../../accounts/statement-csv.domain.js';
import type { BankTransfer } from './bank-transfer.domain.js';
import { BankTransferRepository } from './bank-transfer.repository.js';
import { BANK_FILE_TRANSFERS_MAX } from './create-bank-file.usecase.js';
import { PayoutProviders } from './payout-providers.js';

const COLUMNS = ['transferId', 'holderName', 'iban', 'amountMinorUnits', 'currency', 'text'];

/**
 * A bank file as CSV. It holds account numbers in clear: only admins read it, and it is stored nowhere.
 *
 * Fails with: ledger.bank_file.not_found.
 */
@UseCase('ledger.read-bank-file')
export class ReadBankFile {
  constructor(
    private readonly transfers: BankTransferRepository,
    private readonly providers: PayoutProviders,
  ) {}

  async execute(id: Id<'bkf'>): Promise<string> {
    const transfers = await this.transfers.ofFile(id, BANK_FILE_TRANSFERS_MAX);
    if (transfers.length === 0) {
      throw new DomainError({
        kind: 'not_found',
        code: 'ledger.bank_file.not_found',
        detail: 'There is no such file.',
      });
    }
    return [csvLine(COLUMNS), ...transfers.map((transfer) => this.line(transfer))].join('');
  }

  private line({ _id, providerAccountId, amount, currency, text }: BankTransfer): string {
    const account = this.providers.seal?.open(providerAccountId);
    if (account?.type !== 'bank_account')
      throw new Error(`${_id} is to no bank account that can be opened here`);
    return csvLine([_id, account.holderName, account.iban, amount, currency, text]);
  }
}
