import { Clock, type Context, type Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { listPrompt } from './prompt.domain.js';
import { PromptRepository } from './prompt.repository.js';

export interface ListOnMarketplaceInput {
  readonly promptId: string;
  readonly sellerId: string;
  readonly listingId: Id<'lst'>;
  readonly priceCredits: number;
  readonly listedAt: Date;
}

/**
 * Makes a prompt visible on the marketplace after its listing was approved. A listing by somebody who does not own
 * the prompt, or of a deleted one, changes nothing here: commerce has checked the owner, so there is nobody to tell.
 * Emits: PromptPublished
 */
@UseCase('catalog.list-on-marketplace')
export class ListOnMarketplace {
  constructor(
    private readonly prompts: PromptRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ promptId, sellerId, ...listing }: ListOnMarketplaceInput, context: Context): Promise<void> {
    const prompt = await this.prompts.load(promptId, { userId: sellerId });
    const change = prompt && listPrompt(prompt, listing, this.clock.now());
    if (change) await this.prompts.save(change, context);
  }
}
