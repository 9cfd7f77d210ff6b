import { Module } from '@nestjs/common';
import { ListingsModule } from '../listings/listings.module.js';
import { BuyListing } from './buy-listing.usecase.js';
import { GiveUpPurchase } from './give-up-purchase.usecase.js';
import { LedgerClient } from './ledger.client.js';
import { PendingPurchases } from './pending-purchases.process.js';
import { PurchaseRepository } from './purchase.repository.js';
import { PurchasesController } from './purchases.controller.js';
import { ListPurchases, ReadPurchase } from './read-purchases.usecase.js';
import { RefundPurchase } from './refund-purchase.usecase.js';

@Module({
  imports: [ListingsModule],
  controllers: [PurchasesController],
  providers: [
    PurchaseRepository,
    LedgerClient,
    BuyListing,
    RefundPurchase,
    GiveUpPurchase,
    PendingPurchases,
    ReadPurchase,
    ListPurchases,
  ],
})
export class PurchasesModule {}
