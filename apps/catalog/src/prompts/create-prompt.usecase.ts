import type { CreatePromptRequest } from '@atelier/contracts/catalog/prompts.api';
import { Clock, DomainError, idFor, type Context, type Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { createPrompt, type Prompt } from './prompt.domain.js';
import { PromptRepository } from './prompt.repository.js';

/**
 * Writes a prompt for the user who asks, with the first row of its history.
 * Emits: PromptCreated, and PromptPublished when it is public.
 * Fails with: catalog.prompt.not_a_user
 */
@UseCase('catalog.create-prompt')
export class CreatePrompt {
  constructor(
    private readonly prompts: PromptRepository,
    private readonly clock: Clock,
  ) {}

  async execute(input: CreatePromptRequest, context: Context): Promise<Prompt> {
    const { kind, id } = context.actor;
    if (kind !== 'user') throw notAUser();
    const ids = {
      promptId: idFor(context, 'prm'),
      versionId: idFor(context, 'prv'),
      userId: id as Id<'usr'>,
    };
    return this.prompts.save(createPrompt(input, ids, this.clock.now()), context);
  }
}

const notAUser = (): DomainError =>
  new DomainError({
    kind: 'forbidden',
    code: 'catalog.prompt.not_a_user',
    detail: 'A prompt belongs to a user. Call this on behalf of one.',
  });
