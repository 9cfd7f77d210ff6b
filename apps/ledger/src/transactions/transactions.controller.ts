import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import { toMoneyWire, type Context } from '@atelier/kernel';
import { pageOf, pageQuery, type Page } from '@atelier/service';
import {
  transactionFilters,
  transactionView,
  type TransactionView,
} from '@atelier/contracts/ledger/transactions.api';
import { callerOf } from '../accounts/read-credits.usecase.js';
import type { Transaction } from './transaction.domain.js';
import { Transactions } from './transactions.projection.js';

const listQuery = pageQuery(transactionFilters);

/** A person's own money statement. There is no id in the path: nobody can ask for somebody else's. */
@ApiTags('billing')
@Controller('api/v1/billing/transactions')
export class TransactionsController {
  constructor(private readonly transactions: Transactions) {}

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(transactionView) })
  async list(
    @Query({ schema: listQuery }) { from, to, ...query }: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<TransactionView>> {
    const between = { from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined };
    const page = await this.transactions.page({ ...query, ...between, userId: callerOf(context) });
    return { ...page, items: page.items.map(toTransactionView) };
  }
}

function toTransactionView({
  userId: _,
  amount,
  createdAt,
  completedAt,
  ...line
}: Transaction): TransactionView {
  return {
    ...line,
    amount: toMoneyWire(amount),
    createdAt: createdAt.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
  };
}
