import type { UpdatePromptRequest } from '@atelier/contracts/catalog/prompts.api';
import { Clock, newId, type Context } from '@atelier/kernel';
import { assertVersion, UseCase } from '@atelier/service';
import { changePrompt, promptNotFound, type Prompt } from './prompt.domain.js';
import { PromptRepository } from './prompt.repository.js';

export interface UpdatePromptInput {
  readonly promptId: string;
  /** The version that the caller has seen. */
  readonly expectedVersion: number;
  readonly changes: UpdatePromptRequest;
}

/**
 * Changes one's own prompt; a change of its content adds to its history.
 * Emits: PromptUpdated, and PromptPublished when it becomes public.
 * Fails with: catalog.prompt.not_found, catalog.prompt.listed, catalog.prompt.status_refused,
 * platform.precondition.failed
 */
@UseCase('catalog.update-prompt')
export class UpdatePrompt {
  constructor(
    private readonly prompts: PromptRepository,
    private readonly clock: Clock,
  ) {}

  async execute(
    { promptId, expectedVersion, changes }: UpdatePromptInput,
    context: Context,
  ): Promise<Prompt> {
    const userId = context.actor.id;
    const prompt = await this.prompts.load(promptId, { userId });
    if (!prompt || prompt.deletedAt) throw promptNotFound(promptId);
    assertVersion(expectedVersion, prompt.version);
    const change = changePrompt(prompt, changes, newId('prv'), userId, this.clock.now());
    return change.state === prompt ? prompt : this.prompts.save(change, context);
  }
}
