import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Ctx, ServiceOnly } from '@atelier/auth';
import { idSchema, type Context, type Id } from '@atelier/kernel';
import {
  extendHoldRequest,
  holdView,
  placeHoldRequest,
  releaseHoldRequest,
  type ExtendHoldRequest,
  type HoldView,
  type PlaceHoldRequest,
  type ReleaseHoldRequest,
} from '@atelier/contracts/ledger/holds.api';
import { ExtendHold } from './extend-hold.usecase.js';
import type { Hold } from './hold.domain.js';
import { PlaceHold } from './place-hold.usecase.js';
import { ReadHold } from './read-hold.usecase.js';
import { SettleHold } from './settle-hold.usecase.js';

const holdId = idSchema('hld');

/**
 * Holds, for the services that spend. They need no `Idempotency-Key`: a hold's id is its key, and a repeat
 * answers the hold.
 */
@ApiTags('holds')
@ServiceOnly()
@Controller('internal/holds')
export class HoldsController {
  constructor(
    private readonly placeHold: PlaceHold,
    private readonly settleHold: SettleHold,
    private readonly extendHold: ExtendHold,
    private readonly readHold: ReadHold,
  ) {}

  @Post()
  @HttpCode(201)
  @ApiCreatedResponse({ standardSchema: holdView })
  async place(
    @Body({ schema: placeHoldRequest }) request: PlaceHoldRequest,
    @Ctx() context: Context,
  ): Promise<HoldView> {
    return toHoldView(await this.placeHold.execute(request, context));
  }

  @Post(':id/release')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: holdView })
  async release(
    @Param('id', { schema: holdId }) id: Id<'hld'>,
    @Body({ schema: releaseHoldRequest }) { reason }: ReleaseHoldRequest,
    @Ctx() context: Context,
  ): Promise<HoldView> {
    // Without `mayBeMissing` a hold that is not there is a 404, never undefined.
    return toHoldView((await this.settleHold.execute({ holdId: id, end: 'release', reason }, context))!);
  }

  @Post(':id/extend')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: holdView })
  async extend(
    @Param('id', { schema: holdId }) id: Id<'hld'>,
    @Body({ schema: extendHoldRequest }) { expiresAt }: ExtendHoldRequest,
  ): Promise<HoldView> {
    return toHoldView(await this.extendHold.execute(id, new Date(expiresAt)));
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: holdView })
  async read(@Param('id', { schema: holdId }) id: Id<'hld'>): Promise<HoldView> {
    return toHoldView(await this.readHold.execute(id));
  }
}

function toHoldView({ id, userId, amount, capturedAmount, status, expiresAt }: Hold): HoldView {
  return { holdId: id, userId, amount, capturedAmount, status, expiresAt: expiresAt.toISOString() };
}
