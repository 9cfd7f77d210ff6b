import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import type { Context } from '@atelier/kernel';
import { pageOf, pageQuery, type Page } from '@atelier/service';
import { openHoldView, type OpenHoldView } from '@atelier/contracts/ledger/holds.api';
import type { Hold } from './hold.domain.js';
import { ReadOpenHolds } from './read-open-holds.usecase.js';

const holdsQuery = pageQuery();

/** What is set aside of one's own credits. There is no id in the path: nobody can ask for somebody else's. */
@ApiTags('billing')
@Controller('api/v1/billing/holds')
export class OwnHoldsController {
  constructor(private readonly readOpenHolds: ReadOpenHolds) {}

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(openHoldView) })
  async open(
    @Query({ schema: holdsQuery }) query: z.infer<typeof holdsQuery>,
    @Ctx() context: Context,
  ): Promise<Page<OpenHoldView>> {
    const page = await this.readOpenHolds.execute(query, context);
    return { ...page, items: page.items.map(toOpenHoldView) };
  }
}

function toOpenHoldView({ id, amount, type, sourceId, expiresAt, createdAt }: Hold): OpenHoldView {
  const times = { expiresAt: expiresAt.toISOString(), createdAt: createdAt.toISOString() };
  return { holdId: id, amount, type, sourceId, ...times };
}
