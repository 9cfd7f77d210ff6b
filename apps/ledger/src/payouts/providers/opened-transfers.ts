import { Injectable } from '@nestjs/common';
import { counter, Logger } from '@atelier/observability';
import type { PayoutAccount } from '@atelier/contracts/ledger/payout-methods.api';
import type { BankTransfer } from './bank-transfer.domain.js';
import { PayoutProviders } from './payout-providers.js';
import type { AccountSeal } from './sealed-account.js';

/** So many ids stand in the log when accounts cannot be opened. */
const NAMED_MAX = 20;

const leftOut = counter(
  'atelier_ledger_bank_transfers_left_out_total',
  'Transfers that a bank file was made or read without, because their account cannot be opened.',
);

export interface OpenedTransfer {
  readonly transfer: BankTransfer;
  readonly account: PayoutAccount & { readonly type: 'bank_account' };
}

/** Transfers with their account in clear. */
@Injectable()
export class OpenedTransfers {
  constructor(
    private readonly providers: PayoutProviders,
    private readonly log: Logger,
  ) {}

  /**
   * Opens one transfer after the other. One whose account cannot be opened, since the key is another one now, is
   * left out, logged and counted: it must not hold up the others. Throws unavailable `ledger.payout_provider.none`.
   */
  async *of(transfers: AsyncIterable<BankTransfer> | Iterable<BankTransfer>): AsyncGenerator<OpenedTransfer> {
    const { seal } = this.providers;
    const shut: string[] = [];
    try {
      for await (const transfer of transfers) {
        const account = open(seal, transfer);
        if (account?.type === 'bank_account') yield { transfer, account };
        else shut.push(transfer._id);
      }
    } finally {
      if (shut.length > 0) {
        leftOut.inc(shut.length);
        const transferIds = shut.slice(0, NAMED_MAX);
        this.log.error(
          { count: shut.length, transferIds },
          'transfers are left out of a bank file: PAYOUT_ACCOUNT_KEY does not open their accounts',
        );
      }
    }
  }
}

function open(seal: AccountSeal, { providerAccountId }: BankTransfer): PayoutAccount | undefined {
  try {
    return seal.open(providerAccountId);
  } catch {
    return undefined;
  }
}
