import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Ctx, Roles } from '@atelier/auth';
import {
  buyListingRequest,
  purchaseView,
  refundPurchaseRequest,
  type BuyListingRequest,
  type PurchaseView,
  type RefundPurchaseRequest,
} from '@atelier/contracts/commerce/purchases.api';
import { idSchema, type Context } from '@atelier/kernel';
import { Idempotent, pageOf, pageQuery, type Page } from '@atelier/service';
import { BuyListing } from './buy-listing.usecase.js';
import type { Purchase } from './purchase.domain.js';
import { ListPurchases, ReadPurchase } from './read-purchases.usecase.js';
import { RefundPurchase } from './refund-purchase.usecase.js';

const purchaseId = idSchema('pur');
const listQuery = pageQuery();

@ApiTags('marketplace')
@Controller('api/v1/marketplace/purchases')
export class PurchasesController {
  constructor(
    private readonly buyListing: BuyListing,
    private readonly refundPurchase: RefundPurchase,
    private readonly readPurchase: ReadPurchase,
    private readonly listPurchases: ListPurchases,
  ) {}

  @Post()
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: purchaseView })
  async buy(
    @Body({ schema: buyListingRequest }) body: BuyListingRequest,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PurchaseView> {
    const purchase = await this.buyListing.execute(body, context);
    reply.header('location', `/api/v1/marketplace/purchases/${purchase.id}`);
    return toPurchaseView(purchase);
  }

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(purchaseView) })
  async list(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<PurchaseView>> {
    const page = await this.listPurchases.execute(query, context);
    return { ...page, items: page.items.map(toPurchaseView) };
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: purchaseView })
  async read(
    @Param('id', { schema: purchaseId }) id: string,
    @Ctx() context: Context,
  ): Promise<PurchaseView> {
    return toPurchaseView(await this.readPurchase.execute(id, context));
  }

  @Post(':id/refund')
  @Roles('moderator')
  @HttpCode(200)
  @Idempotent()
  @ApiOkResponse({ standardSchema: purchaseView })
  async refund(
    @Param('id', { schema: purchaseId }) id: string,
    @Body({ schema: refundPurchaseRequest }) { reason }: RefundPurchaseRequest,
    @Ctx() context: Context,
  ): Promise<PurchaseView> {
    return toPurchaseView(await this.refundPurchase.execute({ purchaseId: id, reason }, context));
  }
}

function toPurchaseView(purchase: Purchase): PurchaseView {
  const { id, listingId, promptId, title, buyerId, sellerId, paymentStatus, fulfillmentStatus } = purchase;
  const { priceCredits, platformFeeCredits, sellerEarningsCredits, refund } = purchase;
  return {
    ...{ id, listingId, promptId, title, buyerId, sellerId, paymentStatus, fulfillmentStatus },
    ...{ priceCredits, platformFeeCredits, sellerEarningsCredits },
    failureReason: purchase.failureReason ?? null,
    refund: refund
      ? {
          amountCredits: refund.amountCredits,
          reason: refund.reason,
          processedAt: refund.processedAt.toISOString(),
        }
      : null,
    createdAt: purchase.createdAt.toISOString(),
    completedAt: purchase.completedAt?.toISOString() ?? null,
  };
}
