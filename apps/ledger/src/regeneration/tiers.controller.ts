import { Body, Controller, HttpCode, Param, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { ServiceOnly } from '@atelier/auth';
import { idSchema, type Id } from '@atelier/kernel';
import { setTierRequest, type SetTierRequest } from '@atelier/contracts/ledger/accounts.api';
import { SetTier } from './set-tier.usecase.js';

const userId = idSchema('usr');

/** The tier of an account, for the service that sells subscriptions. A PUT: repeating it is harmless. */
@ApiTags('accounts')
@ServiceOnly()
@Controller('internal/accounts')
export class TiersController {
  constructor(private readonly setTier: SetTier) {}

  @Put(':userId/tier')
  @HttpCode(204)
  @ApiNoContentResponse()
  async set(
    @Param('userId', { schema: userId }) id: Id<'usr'>,
    @Body({ schema: setTierRequest }) { tier }: SetTierRequest,
  ): Promise<void> {
    await this.setTier.execute(id, tier);
  }
}
