import { Module } from '@nestjs/common';
import { BankFilesController } from './bank-files.controller.js';
import { BankTransferRepository } from './bank-transfer.repository.js';
import { ConfirmTransfer } from './confirm-transfer.usecase.js';
import { CreateBankFile } from './create-bank-file.usecase.js';
import { OpenedTransfers } from './opened-transfers.js';
import { PayoutProviders } from './payout-providers.js';
import { ReadBankFile } from './read-bank-file.usecase.js';
import { SandboxPayoutProvider } from './sandbox.provider.js';

@Module({
  controllers: [BankFilesController],
  providers: [
    BankTransferRepository,
    OpenedTransfers,
    SandboxPayoutProvider,
    PayoutProviders,
    ConfirmTransfer,
    CreateBankFile,
    ReadBankFile,
  ],
  exports: [PayoutProviders],
})
export class PayoutProvidersModule {}
