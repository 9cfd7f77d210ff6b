import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx, Roles } from '@atelier/auth';
import { idSchema, type Context, type Id } from '@atelier/kernel';
import { Idempotent, pageOf, pageQuery, type Page } from '@atelier/service';
import {
  createVoucherRequest,
  voucherFilters,
  voucherView,
  type CreateVoucherRequest,
  type VoucherView,
} from '@atelier/contracts/ledger/vouchers.api';
import { CreateVoucher } from './create-voucher.usecase.js';
import { ReadVouchers } from './read-vouchers.usecase.js';
import { SwitchVoucher } from './switch-voucher.usecase.js';
import type { Voucher } from './voucher.domain.js';

const voucherId = idSchema('vch');
const listQuery = pageQuery(voucherFilters);

/** The vouchers, for admins. What they do is published, and nothing is ever deleted. */
@ApiTags('billing')
@Roles('admin')
@Controller('api/v1/billing/vouchers')
export class VouchersController {
  constructor(
    private readonly createVoucher: CreateVoucher,
    private readonly switchVoucher: SwitchVoucher,
    private readonly readVouchers: ReadVouchers,
  ) {}

  @Post()
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: voucherView })
  async create(
    @Body({ schema: createVoucherRequest }) request: CreateVoucherRequest,
    @Ctx() context: Context,
  ): Promise<VoucherView> {
    return toVoucherView(await this.createVoucher.execute(request, context));
  }

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(voucherView) })
  async list(
    @Query({ schema: listQuery }) { status, limit, cursor }: z.infer<typeof listQuery>,
  ): Promise<Page<VoucherView>> {
    const page = await this.readVouchers.execute(status, { limit, cursor });
    return { ...page, items: page.items.map(toVoucherView) };
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: voucherView })
  async read(@Param('id', { schema: voucherId }) id: Id<'vch'>): Promise<VoucherView> {
    return toVoucherView(await this.readVouchers.one(id));
  }

  @Post(':id/disable')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: voucherView })
  async disable(
    @Param('id', { schema: voucherId }) id: Id<'vch'>,
    @Ctx() context: Context,
  ): Promise<VoucherView> {
    return toVoucherView(await this.switchVoucher.execute(id, 'inactive', context));
  }

  @Post(':id/enable')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: voucherView })
  async enable(
    @Param('id', { schema: voucherId }) id: Id<'vch'>,
    @Ctx() context: Context,
  ): Promise<VoucherView> {
    return toVoucherView(await this.switchVoucher.execute(id, 'active', context));
  }
}

function toVoucherView({ version: _, expiresAt, createdAt, updatedAt, ...voucher }: Voucher): VoucherView {
  return {
    ...voucher,
    expiresAt: expiresAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
