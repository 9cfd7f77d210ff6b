import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx, Roles } from '@atelier/auth';
import { idSchema, type Context, type Id } from '@atelier/kernel';
import { Idempotent, pageOf, pageQuery, type Page } from '@atelier/service';
import {
  adjustmentFilters,
  adjustmentView,
  rejectAdjustmentRequest,
  requestAdjustmentRequest,
  type AdjustmentView,
  type RejectAdjustmentRequest,
  type RequestAdjustmentRequest,
} from '@atelier/contracts/ledger/adjustments.api';
import type { Adjustment } from './adjustment.domain.js';
import { DecideAdjustment } from './decide-adjustment.usecase.js';
import { ReadAdjustments } from './read-adjustments.usecase.js';
import { RequestAdjustment } from './request-adjustment.usecase.js';

const adjustmentId = idSchema('adj');
const listQuery = pageQuery(adjustmentFilters);

/** Changes of credits by hand, for admins: one asks, another one approves. */
@ApiTags('billing')
@Roles('admin')
@Controller('api/v1/billing/adjustments')
export class AdjustmentsController {
  constructor(
    private readonly requestAdjustment: RequestAdjustment,
    private readonly decideAdjustment: DecideAdjustment,
    private readonly readAdjustments: ReadAdjustments,
  ) {}

  @Post()
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: adjustmentView })
  async request(
    @Body({ schema: requestAdjustmentRequest }) request: RequestAdjustmentRequest,
    @Ctx() context: Context,
  ): Promise<AdjustmentView> {
    return toAdjustmentView(await this.requestAdjustment.execute(request, context));
  }

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(adjustmentView) })
  async list(
    @Query({ schema: listQuery }) { limit, cursor, ...filter }: z.infer<typeof listQuery>,
  ): Promise<Page<AdjustmentView>> {
    const page = await this.readAdjustments.execute(filter, { limit, cursor });
    return { ...page, items: page.items.map(toAdjustmentView) };
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: adjustmentView })
  async read(@Param('id', { schema: adjustmentId }) id: Id<'adj'>): Promise<AdjustmentView> {
    return toAdjustmentView(await this.readAdjustments.one(id));
  }

  @Post(':id/approve')
  @HttpCode(200)
  @Idempotent()
  @ApiOkResponse({ standardSchema: adjustmentView })
  async approve(
    @Param('id', { schema: adjustmentId }) id: Id<'adj'>,
    @Ctx() context: Context,
  ): Promise<AdjustmentView> {
    return toAdjustmentView(await this.decideAdjustment.execute(id, { to: 'approved' }, context));
  }

  @Post(':id/reject')
  @HttpCode(200)
  @Idempotent()
  @ApiOkResponse({ standardSchema: adjustmentView })
  async reject(
    @Param('id', { schema: adjustmentId }) id: Id<'adj'>,
    @Body({ schema: rejectAdjustmentRequest }) { reason }: RejectAdjustmentRequest,
    @Ctx() context: Context,
  ): Promise<AdjustmentView> {
    return toAdjustmentView(await this.decideAdjustment.execute(id, { to: 'rejected', reason }, context));
  }
}

function toAdjustmentView({ version: _, createdAt, decidedAt, ...adjustment }: Adjustment): AdjustmentView {
  const { decidedById = null, rejectionReason = null, entryId = null } = adjustment;
  return {
    ...adjustment,
    decidedById,
    rejectionReason,
    entryId,
    createdAt: createdAt.toISOString(),
    decidedAt: decidedAt?.toISOString() ?? null,
  };
}
