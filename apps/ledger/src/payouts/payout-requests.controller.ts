import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx, Roles } from '@atelier/auth';
import { idSchema, toMoneyWire, type Context, type Id } from '@atelier/kernel';
import { Idempotent, pageOf, pageQuery, type Page } from '@atelier/service';
import {
  payoutQueueFilters,
  payoutRequestView,
  rejectPayoutRequest,
  requestPayoutRequest,
  type PayoutRequestView,
  type RejectPayoutRequest,
  type RequestPayoutRequest,
} from '@atelier/contracts/ledger/payout-requests.api';
import { DecidePayout } from './decide-payout.usecase.js';
import type { PayoutRequest } from './payout-request.domain.js';
import { ReadPayouts } from './read-payouts.usecase.js';
import { RequestPayout } from './request-payout.usecase.js';

const payoutId = idSchema('pyo');
const listQuery = pageQuery();
const queueQuery = pageQuery(payoutQueueFilters);

@ApiTags('billing')
@Controller('api/v1/billing/payout-requests')
export class PayoutRequestsController {
  constructor(
    private readonly requestPayout: RequestPayout,
    private readonly decidePayout: DecidePayout,
    private readonly readPayouts: ReadPayouts,
  ) {}

  @Post()
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: payoutRequestView })
  async request(
    @Body({ schema: requestPayoutRequest }) request: RequestPayoutRequest,
    @Ctx() context: Context,
  ): Promise<PayoutRequestView> {
    return toPayoutView(await this.requestPayout.execute(request, context));
  }

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(payoutRequestView) })
  async list(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<PayoutRequestView>> {
    const page = await this.readPayouts.execute(query, context);
    return { ...page, items: page.items.map(toPayoutView) };
  }

  @Get('queue')
  @Roles('admin')
  @ApiOkResponse({ standardSchema: pageOf(payoutRequestView) })
  async queue(
    @Query({ schema: queueQuery }) { status, ...query }: z.infer<typeof queueQuery>,
  ): Promise<Page<PayoutRequestView>> {
    const page = await this.readPayouts.queue(status, query);
    return { ...page, items: page.items.map(toPayoutView) };
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: payoutRequestView })
  async read(
    @Param('id', { schema: payoutId }) id: Id<'pyo'>,
    @Ctx() context: Context,
  ): Promise<PayoutRequestView> {
    return toPayoutView(await this.readPayouts.one(id, context));
  }

  @Post(':id/cancel')
  @Idempotent()
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: payoutRequestView })
  async cancel(
    @Param('id', { schema: payoutId }) id: Id<'pyo'>,
    @Ctx() context: Context,
  ): Promise<PayoutRequestView> {
    return toPayoutView(await this.decidePayout.execute(id, { decision: 'cancel' }, context));
  }

  @Post(':id/approve')
  @Idempotent()
  @HttpCode(200)
  @Roles('admin')
  @ApiOkResponse({ standardSchema: payoutRequestView })
  async approve(
    @Param('id', { schema: payoutId }) id: Id<'pyo'>,
    @Ctx() context: Context,
  ): Promise<PayoutRequestView> {
    return toPayoutView(await this.decidePayout.execute(id, { decision: 'approve' }, context));
  }

  @Post(':id/reject')
  @Idempotent()
  @HttpCode(200)
  @Roles('admin')
  @ApiOkResponse({ standardSchema: payoutRequestView })
  async reject(
    @Param('id', { schema: payoutId }) id: Id<'pyo'>,
    @Body({ schema: rejectPayoutRequest }) { reason }: RejectPayoutRequest,
    @Ctx() context: Context,
  ): Promise<PayoutRequestView> {
    return toPayoutView(await this.decidePayout.execute(id, { decision: 'reject', reason }, context));
  }
}

function toPayoutView(payout: PayoutRequest): PayoutRequestView {
  const { id, userId, methodId, provider, credits, amount, status } = payout;
  return {
    ...{ id, userId, methodId, provider, credits, status },
    amount: toMoneyWire(amount),
    reason: payout.reason ?? null,
    providerReference: payout.providerReference ?? null,
    createdAt: payout.createdAt.toISOString(),
    decidedAt: payout.decidedAt?.toISOString() ?? null,
    endedAt: payout.endedAt?.toISOString() ?? null,
  };
}
