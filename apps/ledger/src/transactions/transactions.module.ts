import { Module } from '@nestjs/common';
import { TransactionsController } from './transactions.controller.js';
import { Transactions } from './transactions.projection.js';

/** A projection is a provider of its controller, so it is listed on both sides. */
@Module({ controllers: [TransactionsController, Transactions], providers: [Transactions] })
export class TransactionsModule {}
