import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { deletePrompt } from './prompt.domain.js';
import { PromptRepository } from './prompt.repository.js';

/** Prompts carry their content, so a page of them is small. */
const PAGE_MAX = 20;

/**
 * Deletes a page of somebody's prompts softly, each by itself, and answers whether there may be more.
 * Emits: PromptDeleted for each
 */
@UseCase('catalog.delete-prompts-of-owner')
export class DeletePromptsOfOwner {
  constructor(
    private readonly prompts: PromptRepository,
    private readonly clock: Clock,
  ) {}

  async execute(ownerId: string, deletedBy: string, context: Context): Promise<boolean> {
    const prompts = await this.prompts.liveOf(ownerId, PAGE_MAX);
    for (const prompt of prompts) {
      const change = deletePrompt(prompt, deletedBy, this.clock.now());
      if (change) await this.prompts.save(change, context);
    }
    return prompts.length === PAGE_MAX;
  }
}
