import { Clock, type Context } from '@atelier/kernel';
import { assertVersion, UseCase } from '@atelier/service';
import { deletePrompt, promptNotFound } from './prompt.domain.js';
import { PromptRepository } from './prompt.repository.js';

export interface DeletePromptInput {
  readonly promptId: string;
  /** The version that the caller has seen, if it says so. */
  readonly expectedVersion?: number | undefined;
}

/**
 * Deletes one's own prompt softly; doing it again is no error.
 * Emits: PromptDeleted
 * Fails with: catalog.prompt.not_found, platform.precondition.failed
 */
@UseCase('catalog.delete-prompt')
export class DeletePrompt {
  constructor(
    private readonly prompts: PromptRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ promptId, expectedVersion }: DeletePromptInput, context: Context): Promise<void> {
    const userId = context.actor.id;
    const prompt = await this.prompts.load(promptId, { userId });
    if (!prompt) throw promptNotFound(promptId);
    const change = deletePrompt(prompt, userId, this.clock.now());
    if (!change) return;
    if (expectedVersion !== undefined) assertVersion(expectedVersion, prompt.version);
    await this.prompts.save(change, context);
  }
}
