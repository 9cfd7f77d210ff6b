import type { PromptFilters } from '@atelier/contracts/catalog/prompts.api';
import type { Context } from '@atelier/kernel';
import { UseCase, type Page } from '@atelier/service';
import type { PromptSummary } from './prompt.domain.js';
import { PromptRepository } from './prompt.repository.js';

export interface ListPromptsInput extends PromptFilters {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/**
 * One page of the caller's own prompts, newest first.
 * Fails with: platform.cursor.invalid
 */
@UseCase('catalog.list-prompts')
export class ListPrompts {
  constructor(private readonly prompts: PromptRepository) {}

  execute({ limit, cursor, ...filters }: ListPromptsInput, context: Context): Promise<Page<PromptSummary>> {
    return this.prompts.list(context.actor.id, filters, limit, cursor);
  }
}
