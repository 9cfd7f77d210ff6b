import { Clock, DomainError, type Context } from '@atelier/kernel';
import { Database, Outbox } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { BankFileConfirmed } from '@atelier/contracts/ledger/bank-file.events';
import type { ConfirmTransferRequest } from '@atelier/contracts/ledger/payout-requests.api';
import type { BankTransfer } from './bank-transfer.domain.js';
import { BankTransferRepository } from './bank-transfer.repository.js';

/** That of the file's creation; each confirmation of one of its transfers is one more. */
const CREATED_VERSION = 1;

/**
 * Writes down what the bank said of a transfer; the payout's next poll finds it. The same word again changes
 * nothing, another one is refused.
 *
 * Emits: BankFileConfirmed.
 * Fails with: ledger.bank_transfer.not_found | not_in_a_file | already_confirmed.
 */
@UseCase('ledger.confirm-transfer')
export class ConfirmTransfer {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly transfers: BankTransferRepository,
    private readonly clock: Clock,
  ) {}

  execute(id: string, request: ConfirmTransferRequest, context: Context): Promise<BankTransfer> {
    const { outcome } = request;
    const reason = outcome === 'failed' ? request.reason : null;
    return this.database.transaction(async (session) => {
      const transfer = await this.transfers.find(id);
      if (!transfer?.bankFileId || transfer.status !== 'ordered') return unchanged(transfer, outcome);
      const { bankFileId } = transfer;
      const fileVersion = CREATED_VERSION + 1 + (await this.transfers.countConfirmed(bankFileId));
      const confirmed = await this.transfers.confirm(id, {
        ...{ status: outcome, fileVersion },
        ...(reason === null ? {} : { reason }),
      });
      const fact = BankFileConfirmed(bankFileId, {
        ...{ bankFileId, transferId: id, outcome, reason },
        confirmedBy: context.actor.id,
      });
      await this.outbox.append([fact], fileVersion, context, session, this.clock.now());
      return confirmed;
    });
  }
}

function unchanged(transfer: BankTransfer | undefined, outcome: BankTransfer['status']): BankTransfer {
  if (!transfer) throw refused('not_found', 'not_found', 'There is no such transfer.');
  if (transfer.status === outcome) return transfer;
  if (transfer.status === 'ordered') {
    throw refused('conflict', 'not_in_a_file', 'The transfer has not left in a file yet. Create one first.');
  }
  throw refused(
    'conflict',
    'already_confirmed',
    `The transfer is ${transfer.status} already. Money that came back later is booked by an adjustment.`,
  );
}

const refused = (kind: 'not_found' | 'conflict', reason: string, detail: string) =>
  new DomainError({ kind, code: `ledger.bank_transfer.${reason}`, detail });
