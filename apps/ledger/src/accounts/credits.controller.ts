import { Controller, Get, Headers, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Ctx } from '@atelier/auth';
import type { Context } from '@atelier/kernel';
import { pageOf, pageQuery, type Page } from '@atelier/service';
import {
  creditsAtView,
  creditsQuery,
  creditsView,
  creditTransactionFilters,
  creditTransactionView,
  type CreditsAtView,
  type CreditsView,
  type CreditTransactionView,
} from '@atelier/contracts/ledger/credits.api';
import type { CreditTransaction } from './account.domain.js';
import { ExportStatement } from './export-statement.usecase.js';
import { ReadCreditsAt } from './read-credits-at.usecase.js';
import { ReadCredits } from './read-credits.usecase.js';
import { ReadStatement } from './read-statement.usecase.js';

const statementQuery = pageQuery(creditTransactionFilters);
type StatementQuery = z.infer<typeof statementQuery>;
const CSV = 'text/csv';

/** What a person sees of their own credits. There is no id in the path: nobody can ask for somebody else's. */
@ApiTags('billing')
@Controller('api/v1/billing')
export class CreditsController {
  constructor(
    private readonly readCredits: ReadCredits,
    private readonly readCreditsAt: ReadCreditsAt,
    private readonly readStatement: ReadStatement,
    private readonly exportStatement: ExportStatement,
  ) {}

  @Get('credits')
  @ApiOkResponse({ standardSchema: z.union([creditsView, creditsAtView]) })
  credits(
    @Query({ schema: creditsQuery }) { at }: z.infer<typeof creditsQuery>,
    @Ctx() context: Context,
  ): Promise<CreditsView | CreditsAtView> {
    return at ? this.readCreditsAt.execute(new Date(at), context) : this.readCredits.execute(context);
  }

  @Get('credit-transactions')
  @ApiProduces('application/json', CSV)
  @ApiOkResponse({ standardSchema: pageOf(creditTransactionView) })
  async transactions(
    @Query({ schema: statementQuery }) { type, from, to, limit, cursor, format }: StatementQuery,
    @Headers('accept') accept: string | undefined,
    @Ctx() context: Context,
  ): Promise<Page<CreditTransactionView> | StreamableFile> {
    const filters = {
      types: typeof type === 'string' ? [type] : type,
      from: from ? new Date(from) : undefined,
      to: to ? new Date(to) : undefined,
    };
    if (format === 'csv' || (!format && accept?.toLowerCase().startsWith(CSV))) {
      const file = await this.exportStatement.execute(filters, context);
      const disposition = 'attachment; filename="credit-transactions.csv"';
      return new StreamableFile(file, { type: `${CSV}; charset=utf-8`, disposition });
    }
    const page = await this.readStatement.execute({ ...filters, limit, cursor }, context);
    return { ...page, items: page.items.map(toTransactionView) };
  }
}

function toTransactionView(line: CreditTransaction): CreditTransactionView {
  const { id, type, amount, balanceAfter, sourceId, createdAt } = line;
  return { id, type, amount, balanceAfter, sourceId, createdAt: createdAt.toISOString() };
}
