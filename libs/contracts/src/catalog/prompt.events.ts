import { z } from 'zod';
import { defineEvent, idSchema } from '@atelier/kernel';

export const PROMPT_VISIBILITIES = ['private', 'team', 'public', 'marketplace'] as const;

const prompt = z.object({
  promptId: idSchema('prm'),
  ownerId: idSchema('usr'),
  title: z.string(),
  description: z.string(),
  category: z.string(),
  tags: z.array(z.string()),
  visibility: z.enum(PROMPT_VISIBILITIES),
  /** The number of the content's version; the content itself is in no event. */
  contentVersion: z.int(),
});
const example = {
  promptId: 'prm_01m7y1j20qe008c1f3vesc43m3',
  ownerId: 'usr_01m7y1j20qe00tx1bzgqw12hbc',
  title: 'Product photo in a studio',
  description: 'Soft light, white background.',
  category: 'image',
  tags: ['photo', 'product'],
  visibility: 'private',
  contentVersion: 1,
} as const;

export const PromptCreated = defineEvent({
  type: 'catalog.prompt.created.v1',
  summary: 'Somebody wrote a prompt.',
  data: prompt,
  example: { ...example, tags: [...example.tags] },
});

export const PromptUpdated = defineEvent({
  type: 'catalog.prompt.updated.v1',
  summary: 'A prompt, or what describes it, has changed.',
  data: prompt,
  example: { ...example, tags: [...example.tags], contentVersion: 2 },
});

export const PromptPublished = defineEvent({
  type: 'catalog.prompt.published.v1',
  summary: 'A prompt can be found by everybody: it became public or is on the marketplace.',
  data: prompt,
  example: { ...example, tags: [...example.tags], visibility: 'marketplace' },
});

export const PromptDeleted = defineEvent({
  type: 'catalog.prompt.deleted.v1',
  summary: 'The owner deleted a prompt. Who bought it can still read it.',
  data: z.object({ promptId: idSchema('prm'), ownerId: idSchema('usr'), deletedAt: z.iso.datetime() }),
  example: { promptId: example.promptId, ownerId: example.ownerId, deletedAt: '2026-11-21T08:00:00.000Z' },
});
