import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import { Clock, idSchema, type Context, type Id } from '@atelier/kernel';
import { Idempotent, InjectConfig, pageOf, pageQuery, type Page } from '@atelier/service';
import {
  addPayoutMethodRequest,
  changePayoutMethodRequest,
  payoutMethodView,
  verifyPayoutMethodRequest,
  type AddPayoutMethodRequest,
  type ChangePayoutMethodRequest,
  type PayoutMethodView,
  type VerifyPayoutMethodRequest,
} from '@atelier/contracts/ledger/payout-methods.api';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { AddPayoutMethod } from './add-payout-method.usecase.js';
import { ChooseDefault } from './choose-default.usecase.js';
import { DisablePayoutMethod } from './disable-payout-method.usecase.js';
import { activeFrom, statusAt, type PayoutMethod } from './payout-method.domain.js';
import { ReadPayoutMethods } from './read-payout-methods.usecase.js';
import { VerifyPayoutMethod } from './verify-payout-method.usecase.js';

const methodId = idSchema('pym');
const listQuery = pageQuery();

@ApiTags('billing')
@Controller('api/v1/billing/payout-methods')
export class PayoutMethodsController {
  private readonly waitSeconds: number;

  constructor(
    private readonly addPayoutMethod: AddPayoutMethod,
    private readonly verifyPayoutMethod: VerifyPayoutMethod,
    private readonly chooseDefault: ChooseDefault,
    private readonly disablePayoutMethod: DisablePayoutMethod,
    private readonly readPayoutMethods: ReadPayoutMethods,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) config: LedgerConfig,
  ) {
    this.waitSeconds = config.PAYOUT_METHOD_WAIT_SECONDS;
  }

  @Post()
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: payoutMethodView })
  async add(
    @Body({ schema: addPayoutMethodRequest }) request: AddPayoutMethodRequest,
    @Ctx() context: Context,
  ): Promise<PayoutMethodView> {
    return this.view(await this.addPayoutMethod.execute(request, context));
  }

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(payoutMethodView) })
  async list(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<PayoutMethodView>> {
    const page = await this.readPayoutMethods.execute(query, context);
    return { ...page, items: page.items.map((method) => this.view(method)) };
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: payoutMethodView })
  async read(
    @Param('id', { schema: methodId }) id: Id<'pym'>,
    @Ctx() context: Context,
  ): Promise<PayoutMethodView> {
    return this.view(await this.readPayoutMethods.one(id, context));
  }

  @Post(':id/verify')
  @Idempotent()
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: payoutMethodView })
  async verify(
    @Param('id', { schema: methodId }) id: Id<'pym'>,
    @Body({ schema: verifyPayoutMethodRequest }) { code }: VerifyPayoutMethodRequest,
    @Ctx() context: Context,
  ): Promise<PayoutMethodView> {
    return this.view(await this.verifyPayoutMethod.execute(id, code, context));
  }

  @Patch(':id')
  @ApiOkResponse({ standardSchema: payoutMethodView })
  async change(
    @Param('id', { schema: methodId }) id: Id<'pym'>,
    @Body({ schema: changePayoutMethodRequest }) _request: ChangePayoutMethodRequest,
    @Ctx() context: Context,
  ): Promise<PayoutMethodView> {
    return this.view(await this.chooseDefault.execute(id, context));
  }

  @Delete(':id')
  @HttpCode(204)
  async disable(@Param('id', { schema: methodId }) id: Id<'pym'>, @Ctx() context: Context): Promise<void> {
    await this.disablePayoutMethod.execute(id, context);
  }

  private view(method: PayoutMethod): PayoutMethodView {
    const { id, type, provider, display, isDefault, createdAt, verifiedAt } = method;
    return {
      ...{ id, type, provider, display, isDefault },
      status: statusAt(method, this.waitSeconds, this.clock.now()),
      createdAt: createdAt.toISOString(),
      verifiedAt: verifiedAt?.toISOString() ?? null,
      activeFrom: activeFrom(method, this.waitSeconds)?.toISOString() ?? null,
    };
  }
}
