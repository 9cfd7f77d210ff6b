import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Ctx, Public, Roles } from '@atelier/auth';
import {
  createListingRequest,
  listingFilters,
  listingView,
  refuseListingRequest,
  updateListingRequest,
  type CreateListingRequest,
  type ListingView,
  type RefuseListingRequest,
  type UpdateListingRequest,
} from '@atelier/contracts/commerce/listings.api';
import { idSchema, type Context } from '@atelier/kernel';
import { Idempotent, IfMatch, pageOf, pageQuery, withEtag, type Page } from '@atelier/service';
import { isModerator } from '../caller.js';
import { CreateListing } from './create-listing.usecase.js';
import { DeleteListing } from './delete-listing.usecase.js';
import { EditListing } from './edit-listing.usecase.js';
import type { Listing } from './listing.domain.js';
import { ModerateListing, type Decision } from './moderate-listing.usecase.js';
import { PauseListing } from './pause-listing.usecase.js';
import { ReadListing } from './read-listing.usecase.js';
import { SearchListings } from './search-listings.usecase.js';
import { SubmitListing } from './submit-listing.usecase.js';

const listingId = idSchema('lst');
const listQuery = pageQuery(listingFilters);

/** What a seller does with a listing, and what everybody reads. */
@ApiTags('marketplace')
@Controller('api/v1/marketplace/listings')
export class ListingsController {
  constructor(
    private readonly createListing: CreateListing,
    private readonly editListing: EditListing,
    private readonly submitListing: SubmitListing,
    private readonly pauseListing: PauseListing,
    private readonly deleteListing: DeleteListing,
    private readonly readListing: ReadListing,
    private readonly searchListings: SearchListings,
  ) {}

  @Post()
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: listingView })
  async create(
    @Body({ schema: createListingRequest }) body: CreateListingRequest,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ListingView> {
    const listing = await this.createListing.execute(body, context);
    reply.header('location', `/api/v1/marketplace/listings/${listing.id}`);
    return answer(reply, listing, context);
  }

  @Get()
  @Public()
  @ApiOkResponse({ standardSchema: pageOf(listingView) })
  async search(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<ListingView>> {
    const page = await this.searchListings.execute(query, context);
    return { ...page, items: page.items.map((listing) => toListingView(listing, context)) };
  }

  @Get(':id')
  @Public()
  @ApiOkResponse({ standardSchema: listingView })
  async read(
    @Param('id', { schema: listingId }) id: string,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ListingView> {
    return answer(reply, await this.readListing.execute(id, context), context);
  }

  @Patch(':id')
  @ApiOkResponse({ standardSchema: listingView })
  async edit(
    @Param('id', { schema: listingId }) id: string,
    @IfMatch() expectedVersion: number,
    @Body({ schema: updateListingRequest }) changes: UpdateListingRequest,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ListingView> {
    const listing = await this.editListing.execute({ listingId: id, expectedVersion, changes }, context);
    return answer(reply, listing, context);
  }

  @Delete(':id')
  @HttpCode(204)
  async delete(@Param('id', { schema: listingId }) id: string, @Ctx() context: Context): Promise<void> {
    await this.deleteListing.execute(id, context);
  }

  @Post(':id/submit')
  @HttpCode(200)
  @Idempotent()
  @ApiOkResponse({ standardSchema: listingView })
  async submit(
    @Param('id', { schema: listingId }) id: string,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ListingView> {
    return answer(reply, await this.submitListing.execute(id, context), context);
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: listingView })
  async pause(
    @Param('id', { schema: listingId }) id: string,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ListingView> {
    return answer(reply, await this.pauseListing.execute({ listingId: id, paused: true }, context), context);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: listingView })
  async resume(
    @Param('id', { schema: listingId }) id: string,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ListingView> {
    return answer(reply, await this.pauseListing.execute({ listingId: id, paused: false }, context), context);
  }
}

/** What moderators decide. */
@ApiTags('marketplace')
@Controller('api/v1/marketplace/listings/:id')
@Roles('moderator')
export class ListingModerationController {
  constructor(private readonly moderateListing: ModerateListing) {}

  @Post('approve')
  @HttpCode(200)
  @Idempotent()
  @ApiOkResponse({ standardSchema: listingView })
  approve(@Param('id', { schema: listingId }) id: string, @Ctx() context: Context): Promise<ListingView> {
    return this.decide(id, { verdict: 'approve' }, context);
  }

  @Post('reject')
  @HttpCode(200)
  @Idempotent()
  @ApiOkResponse({ standardSchema: listingView })
  reject(
    @Param('id', { schema: listingId }) id: string,
    @Body({ schema: refuseListingRequest }) { reason }: RefuseListingRequest,
    @Ctx() context: Context,
  ): Promise<ListingView> {
    return this.decide(id, { verdict: 'reject', reason }, context);
  }

  @Post('suspend')
  @HttpCode(200)
  @Idempotent()
  @ApiOkResponse({ standardSchema: listingView })
  suspend(
    @Param('id', { schema: listingId }) id: string,
    @Body({ schema: refuseListingRequest }) { reason }: RefuseListingRequest,
    @Ctx() context: Context,
  ): Promise<ListingView> {
    return this.decide(id, { verdict: 'suspend', reason }, context);
  }

  private async decide(id: string, decision: Decision, context: Context): Promise<ListingView> {
    return toListingView(await this.moderateListing.execute({ listingId: id, decision }, context), context);
  }
}

function answer(reply: FastifyReply, listing: Listing, context: Context): ListingView {
  withEtag(reply, listing.version);
  return toListingView(listing, context);
}

function toListingView(listing: Listing, context: Context): ListingView {
  const { id, promptId, sellerId, title, description, category, tags, priceCredits } = listing;
  const { status, moderationStatus, visibility, purchaseCount, refundCount } = listing;
  const isInsider = sellerId === context.actor.id || isModerator(context);
  return {
    ...{ id, promptId, sellerId, title, description, category, tags: [...tags], priceCredits },
    ...{ status, moderationStatus, visibility, purchaseCount, refundCount },
    shortDescription: listing.shortDescription ?? null,
    previewContent: listing.previewContent ?? null,
    moderationNotes: (isInsider && listing.moderationNotes) || null,
    pausedAt: listing.pausedAt?.toISOString() ?? null,
    stock: listing.stock ?? null,
    publishedAt: listing.publishedAt?.toISOString() ?? null,
    createdAt: listing.createdAt.toISOString(),
    updatedAt: listing.updatedAt.toISOString(),
  };
}
