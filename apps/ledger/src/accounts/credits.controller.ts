import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import type { Context } from '@atelier/kernel';
import { pageOf, pageQuery, type Page } from '@atelier/service';
import {
  creditsView,
  creditTransactionFilters,
  creditTransactionView,
  type CreditsView,
  type CreditTransactionView,
} from '@atelier/contracts/ledger/credits.api';
import type { CreditTransaction } from './account.domain.js';
import { ReadCredits } from './read-credits.usecase.js';
import { ReadStatement } from './read-statement.usecase.js';

const statementQuery = pageQuery(creditTransactionFilters);
type StatementQuery = z.infer<typeof statementQuery>;

/** What a person sees of their own credits. There is no id in the path: nobody can ask for somebody else's. */
@ApiTags('billing')
@Controller('api/v1/billing')
export class CreditsController {
  constructor(
    private readonly readCredits: ReadCredits,
    private readonly readStatement: ReadStatement,
  ) {}

  @Get('credits')
  @ApiOkResponse({ standardSchema: creditsView })
  credits(@Ctx() context: Context): Promise<CreditsView> {
    return this.readCredits.execute(context);
  }

  @Get('credit-transactions')
  @ApiOkResponse({ standardSchema: pageOf(creditTransactionView) })
  async transactions(
    @Query({ schema: statementQuery }) { type, from, to, limit, cursor }: StatementQuery,
    @Ctx() context: Context,
  ): Promise<Page<CreditTransactionView>> {
    const between = { from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined };
    const page = await this.readStatement.execute({ type, ...between, limit, cursor }, context);
    return { ...page, items: page.items.map(toTransactionView) };
  }
}

function toTransactionView(line: CreditTransaction): CreditTransactionView {
  const { id, type, amount, balanceAfter, sourceId, createdAt } = line;
  return { id, type, amount, balanceAfter, sourceId, createdAt: createdAt.toISOString() };
}
