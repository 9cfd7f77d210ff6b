import { Clock, DomainError, idFor, type Context, type Id } from '@atelier/kernel';
import { Database, Outbox } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { BankFileCreated } from '@atelier/contracts/ledger/bank-file.events';
import { BankTransferRepository } from './bank-transfer.repository.js';
import { OpenedTransfers } from './opened-transfers.js';

/** Banks take more, people look at fewer. */
export const BANK_FILE_TRANSFERS_MAX = 1_000;
/** So many that wait are looked at: those that cannot be opened stand in front until somebody deals with them. */
const CANDIDATES_MAX = 10_000;

export interface BankFile {
  readonly id: Id<'bkf'>;
  readonly transfers: number;
}

/**
 * Takes the transfers that have waited longest out of the queue into a file, payouts before verifications. A
 * transfer is in one file only, so nobody can be paid by two; one whose account cannot be opened stays in the queue.
 *
 * Emits: BankFileCreated.
 * Fails with: ledger.bank_file.empty, ledger.payout_provider.none.
 */
@UseCase('ledger.create-bank-file')
export class CreateBankFile {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly transfers: BankTransferRepository,
    private readonly opened: OpenedTransfers,
    private readonly clock: Clock,
  ) {}

  async execute(context: Context): Promise<BankFile> {
    const id = idFor(context, 'bkf');
    const before = await this.transfers.countOf(id);
    if (before > 0) return { id, transfers: before };
    const ids = await this.readable();
    return this.database.transaction(async (session) => {
      const transfers = await this.transfers.takeInto(id, ids);
      if (transfers === 0) throw nothingToCarry();
      const fact = BankFileCreated(id, { bankFileId: id, transfers, createdBy: context.actor.id });
      await this.outbox.append([fact], 1, context, session, this.clock.now());
      return { id, transfers };
    });
  }

  private async readable(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { transfer } of this.opened.of(this.transfers.waiting(CANDIDATES_MAX))) {
      ids.push(transfer._id);
      if (ids.length === BANK_FILE_TRANSFERS_MAX) break;
    }
    return ids;
  }
}

const nothingToCarry = () =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.bank_file.empty',
    detail: 'No transfer waits for a file that can be carried to the bank.',
  });
