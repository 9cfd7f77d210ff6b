import { Clock, type Context, type Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { unlistPrompt } from './prompt.domain.js';
import { PromptRepository } from './prompt.repository.js';

export interface UnlistFromMarketplaceInput {
  readonly promptId: string;
  readonly sellerId: string;
  readonly listingId: Id<'lst'>;
}

/**
 * Hides a prompt again after its listing was withdrawn. Buyers keep what they bought.
 * Emits: PromptUpdated
 */
@UseCase('catalog.unlist-from-marketplace')
export class UnlistFromMarketplace {
  constructor(
    private readonly prompts: PromptRepository,
    private readonly clock: Clock,
  ) {}

  async execute(
    { promptId, sellerId, listingId }: UnlistFromMarketplaceInput,
    context: Context,
  ): Promise<void> {
    const prompt = await this.prompts.load(promptId, { userId: sellerId });
    const change = prompt && unlistPrompt(prompt, listingId, this.clock.now());
    if (change) await this.prompts.save(change, context);
  }
}
