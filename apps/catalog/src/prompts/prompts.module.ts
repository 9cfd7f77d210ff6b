import { Module } from '@nestjs/common';
import { EntitlementsModule } from '../entitlements/entitlements.module.js';
import { CreatePrompt } from './create-prompt.usecase.js';
import { DeletePromptsOfOwner } from './delete-prompts-of-owner.usecase.js';
import { DeletePrompt } from './delete-prompt.usecase.js';
import { ListOnMarketplace } from './list-on-marketplace.usecase.js';
import { ListPromptVersions } from './list-prompt-versions.usecase.js';
import { ListPrompts } from './list-prompts.usecase.js';
import { OnListingPublished } from './on-listing-published.consumer.js';
import { OnListingWithdrawn } from './on-listing-withdrawn.consumer.js';
import { PromptVersionRepository } from './prompt-version.repository.js';
import { PromptRepository } from './prompt.repository.js';
import { PromptsController } from './prompts.controller.js';
import { ReadPrompt } from './read-prompt.usecase.js';
import { UnlistFromMarketplace } from './unlist-from-marketplace.usecase.js';
import { UpdatePrompt } from './update-prompt.usecase.js';

const CONSUMERS = [OnListingPublished, OnListingWithdrawn];
const USE_CASES = [
  CreatePrompt,
  ReadPrompt,
  ListPrompts,
  ListPromptVersions,
  UpdatePrompt,
  DeletePrompt,
  DeletePromptsOfOwner,
  ListOnMarketplace,
  UnlistFromMarketplace,
];

@Module({
  imports: [EntitlementsModule],
  controllers: [PromptsController, ...CONSUMERS],
  providers: [PromptRepository, PromptVersionRepository, ...USE_CASES],
  exports: [DeletePromptsOfOwner],
})
export class PromptsModule {}
