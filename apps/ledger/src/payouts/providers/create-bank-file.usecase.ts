import { Clock, DomainError, idFor, type Context, type Id } from '@atelier/kernel';
import { Database, Outbox } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { BankFileCreated } from '@atelier/contracts/ledger/bank-file.events';
import { BankTransferRepository } from './bank-transfer.repository.js';

/** Banks take more, people look at fewer. */
export const BANK_FILE_TRANSFERS_MAX = 1_000;

export interface BankFile {
  readonly id: Id<'bkf'>;
  readonly transfers: number;
}

/**
 * Takes the oldest waiting transfers out of the queue into a file. A transfer is in one file only, so nobody can
 * be paid by two.
 *
 * Emits: BankFileCreated.
 * Fails with: ledger.bank_file.empty.
 */
@UseCase('ledger.create-bank-file')
export class CreateBankFile {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly transfers: BankTransferRepository,
    private readonly clock: Clock,
  ) {}

  execute(context: Context): Promise<BankFile> {
    const id = idFor(context, 'bkf');
    const count = async () => (await this.transfers.ofFile(id, BANK_FILE_TRANSFERS_MAX)).length;
    return this.database.transaction(async (session) => {
      const before = await count();
      if (before > 0) return { id, transfers: before };
      await this.transfers.takeInto(id, BANK_FILE_TRANSFERS_MAX);
      const transfers = await count();
      if (transfers === 0) throw nothingToCarry();
      const fact = BankFileCreated(id, { bankFileId: id, transfers, createdBy: context.actor.id });
      await this.outbox.append([fact], 1, context, session, this.clock.now());
      return { id, transfers };
    });
  }
}

const nothingToCarry = () =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.bank_file.empty',
    detail: 'No transfer waits for a file.',
  });
