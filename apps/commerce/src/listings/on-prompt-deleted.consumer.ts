import { PromptDeleted } from '@atelier/contracts/catalog/prompt.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { WithdrawListingOfPrompt } from './withdraw-listing-of-prompt.usecase.js';

@Consumer({ id: 'commerce.on-prompt-deleted', group: 'commerce.listings', consumes: PromptDeleted })
export class OnPromptDeleted implements Consumes<typeof PromptDeleted> {
  constructor(private readonly withdraw: WithdrawListingOfPrompt) {}

  handle({ data }: EventOf<typeof PromptDeleted>, context: Context): Promise<void> {
    return this.withdraw.execute({ promptId: data.promptId, ownerId: data.ownerId }, context);
  }
}
