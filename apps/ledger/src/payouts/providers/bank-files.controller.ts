import { Body, Controller, Get, HttpCode, Param, Post, StreamableFile } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Ctx, Roles } from '@atelier/auth';
import { idSchema, type Context, type Id } from '@atelier/kernel';
import { Idempotent } from '@atelier/service';
import {
  bankFileView,
  bankTransferView,
  confirmTransferRequest,
  type BankFileView,
  type BankTransferView,
  type ConfirmTransferRequest,
} from '@atelier/contracts/ledger/payout-requests.api';
import type { BankTransfer } from './bank-transfer.domain.js';
import { ConfirmTransfer } from './confirm-transfer.usecase.js';
import { CreateBankFile } from './create-bank-file.usecase.js';
import { ReadBankFile } from './read-bank-file.usecase.js';

const bankFileId = idSchema('bkf');
const transferId = z.union([idSchema('pyo'), idSchema('pym')]);

/** Transfers by hand, for admins: take a file, carry it to the bank, write down what the bank said. */
@ApiTags('billing')
@Roles('admin')
@Controller('api/v1/billing/payout-requests')
export class BankFilesController {
  constructor(
    private readonly createBankFile: CreateBankFile,
    private readonly readBankFile: ReadBankFile,
    private readonly confirmTransfer: ConfirmTransfer,
  ) {}

  @Post('bank-files')
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: bankFileView })
  create(@Ctx() context: Context): Promise<BankFileView> {
    return this.createBankFile.execute(context);
  }

  @Get('bank-files/:id')
  @ApiProduces('text/csv')
  async read(@Param('id', { schema: bankFileId }) id: Id<'bkf'>): Promise<StreamableFile> {
    const file = Buffer.from(await this.readBankFile.execute(id));
    const disposition = `attachment; filename="${id}.csv"`;
    return new StreamableFile(file, { type: 'text/csv; charset=utf-8', disposition });
  }

  @Post('bank-transfers/:id/confirm')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: bankTransferView })
  async confirm(
    @Param('id', { schema: transferId }) id: string,
    @Body({ schema: confirmTransferRequest }) request: ConfirmTransferRequest,
    @Ctx() context: Context,
  ): Promise<BankTransferView> {
    return toTransferView(await this.confirmTransfer.execute(id, request, context));
  }
}

function toTransferView({ _id, status, reason }: BankTransfer): BankTransferView {
  return { id: _id, status, reason: reason ?? null };
}
