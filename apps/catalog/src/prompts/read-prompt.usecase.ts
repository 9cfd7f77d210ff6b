import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { Entitlements } from '../entitlements/entitlements.projection.js';
import { accessTo, promptNotFound, type Prompt, type PromptAccess } from './prompt.domain.js';
import { PromptRepository } from './prompt.repository.js';

export interface ReadablePrompt {
  readonly prompt: Prompt;
  readonly access: PromptAccess;
}

/**
 * Reads one prompt as far as the reader may see it.
 * Fails with: catalog.prompt.not_found
 */
@UseCase('catalog.read-prompt')
export class ReadPrompt {
  constructor(
    private readonly prompts: PromptRepository,
    private readonly entitlements: Entitlements,
  ) {}

  async execute(promptId: string, { actor }: Context): Promise<ReadablePrompt> {
    const prompt = await this.prompts.loadAcrossOwners(promptId, 'visibility is decided by the domain');
    if (!prompt) throw promptNotFound(promptId);
    const mayHaveBought = actor.kind === 'user' && actor.id !== prompt.userId;
    const isBuyer = mayHaveBought && (await this.entitlements.has(actor.id, promptId));
    const access = accessTo(prompt, actor.id, isBuyer);
    if (!access) throw promptNotFound(promptId);
    return { prompt, access };
  }
}
