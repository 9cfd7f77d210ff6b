import { Module } from '@nestjs/common';
import { PromptsModule } from '../prompts/prompts.module.js';
import { CountSale } from './count-sale.usecase.js';
import { CreateListing } from './create-listing.usecase.js';
import { DeleteListing } from './delete-listing.usecase.js';
import { EditListing } from './edit-listing.usecase.js';
import { ListingRepository } from './listing.repository.js';
import { ListingModerationController, ListingsController } from './listings.controller.js';
import { ModerateListing } from './moderate-listing.usecase.js';
import { OnPromptDeleted } from './on-prompt-deleted.consumer.js';
import { OnPurchaseSettled } from './on-purchase-settled.consumer.js';
import { PauseListing } from './pause-listing.usecase.js';
import { ReadListing } from './read-listing.usecase.js';
import { SearchListings } from './search-listings.usecase.js';
import { SubmitListing } from './submit-listing.usecase.js';
import { WithdrawListingOfPrompt } from './withdraw-listing-of-prompt.usecase.js';

@Module({
  imports: [PromptsModule],
  controllers: [ListingsController, ListingModerationController, OnPromptDeleted, OnPurchaseSettled],
  providers: [
    ListingRepository,
    CreateListing,
    EditListing,
    SubmitListing,
    ModerateListing,
    PauseListing,
    DeleteListing,
    WithdrawListingOfPrompt,
    CountSale,
    ReadListing,
    SearchListings,
  ],
  exports: [ReadListing],
})
export class ListingsModule {}
