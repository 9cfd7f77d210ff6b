import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import type { Context } from '@atelier/kernel';
import { pageQuery } from '@atelier/service';
import {
  referralsView,
  type ReferralsView,
  type ReferralView,
} from '@atelier/contracts/ledger/referrals.api';
import { ReadReferrals } from './read-referrals.usecase.js';
import type { Referral } from './referral.domain.js';

const listQuery = pageQuery();

/** What a person's own code has brought. There is no id in the path: nobody can ask for somebody else's. */
@ApiTags('billing')
@Controller('api/v1/billing/referrals')
export class ReferralsController {
  constructor(private readonly readReferrals: ReadReferrals) {}

  @Get()
  @ApiOkResponse({ standardSchema: referralsView })
  async list(
    @Query({ schema: listQuery }) { limit, cursor }: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<ReferralsView> {
    const { items, ...rest } = await this.readReferrals.execute({ limit, cursor }, context);
    return { ...rest, items: items.map(toReferralView) };
  }
}

function toReferralView({ id, status, creditsGranted, createdAt, completedAt }: Referral): ReferralView {
  const times = { createdAt: createdAt.toISOString(), completedAt: completedAt?.toISOString() ?? null };
  return { id, status, creditsGranted, ...times };
}
