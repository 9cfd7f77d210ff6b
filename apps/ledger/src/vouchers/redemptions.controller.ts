import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import type { Context } from '@atelier/kernel';
import { Idempotent, pageOf, pageQuery, type Page } from '@atelier/service';
import {
  redeemVoucherRequest,
  redemptionView,
  type RedeemVoucherRequest,
  type RedemptionView,
} from '@atelier/contracts/ledger/vouchers.api';
import { ReadRedemptions } from './read-redemptions.usecase.js';
import { RedeemVoucher } from './redeem-voucher.usecase.js';
import type { Redemption } from './redemption.domain.js';

const listQuery = pageQuery();

/** What a person does with vouchers. How often codes may be guessed is limited by the gateway, per user. */
@ApiTags('billing')
@Controller('api/v1/billing/vouchers')
export class RedemptionsController {
  constructor(
    private readonly redeemVoucher: RedeemVoucher,
    private readonly readRedemptions: ReadRedemptions,
  ) {}

  @Post('redeem')
  @HttpCode(201)
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: redemptionView })
  async redeem(
    @Body({ schema: redeemVoucherRequest }) { code }: RedeemVoucherRequest,
    @Ctx() context: Context,
  ): Promise<RedemptionView> {
    return toRedemptionView(await this.redeemVoucher.execute(code, context));
  }

  @Get('redemptions')
  @ApiOkResponse({ standardSchema: pageOf(redemptionView) })
  async list(
    @Query({ schema: listQuery }) { limit, cursor }: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<RedemptionView>> {
    const page = await this.readRedemptions.execute({ limit, cursor }, context);
    return { ...page, items: page.items.map(toRedemptionView) };
  }
}

function toRedemptionView(redemption: Redemption): RedemptionView {
  const { id, code, type, value, status, creditsGranted, entryId, redeemedAt, grantedAt } = redemption;
  return {
    id,
    code,
    type,
    value,
    status,
    creditsGranted,
    entryId: entryId ?? null,
    redeemedAt: redeemedAt.toISOString(),
    grantedAt: grantedAt?.toISOString() ?? null,
  };
}
