import type { Context } from '@atelier/kernel';
import { UseCase, type Page } from '@atelier/service';
import { promptNotFound, type PromptVersion } from './prompt.domain.js';
import { PromptVersionRepository } from './prompt-version.repository.js';
import { PromptRepository } from './prompt.repository.js';

export interface ListPromptVersionsInput {
  readonly promptId: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/**
 * One page of the history of the caller's own prompt, newest first.
 * Fails with: catalog.prompt.not_found, platform.cursor.invalid
 */
@UseCase('catalog.list-prompt-versions')
export class ListPromptVersions {
  constructor(
    private readonly prompts: PromptRepository,
    private readonly versions: PromptVersionRepository,
  ) {}

  async execute(
    { promptId, limit, cursor }: ListPromptVersionsInput,
    context: Context,
  ): Promise<Page<PromptVersion>> {
    const userId = context.actor.id;
    const prompt = await this.prompts.load(promptId, { userId });
    if (!prompt || prompt.deletedAt) throw promptNotFound(promptId);
    return this.versions.list(userId, promptId, limit, cursor);
  }
}
