import { DomainError, type Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { csvLine } from '../../accounts/statement-csv.domain.js';
import { BankTransferRepository } from './bank-transfer.repository.js';
import { BANK_FILE_TRANSFERS_MAX } from './create-bank-file.usecase.js';
import { OpenedTransfers } from './opened-transfers.js';

const COLUMNS = ['transferId', 'holderName', 'iban', 'amountMinorUnits', 'currency', 'text'];

/**
 * A bank file as CSV. It holds account numbers in clear: only admins read it, and it is stored nowhere. A
 * transfer whose account cannot be opened any more is not in it; it can still be confirmed as failed.
 *
 * Fails with: ledger.bank_file.not_found, ledger.payout_provider.none.
 */
@UseCase('ledger.read-bank-file')
export class ReadBankFile {
  constructor(
    private readonly transfers: BankTransferRepository,
    private readonly opened: OpenedTransfers,
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
    const lines = [csvLine(COLUMNS)];
    for await (const { transfer, account } of this.opened.of(transfers)) {
      const { _id, amount, currency, text } = transfer;
      lines.push(csvLine([_id, account.holderName, account.iban, amount, currency, text]));
    }
    return lines.join('');
  }
}
