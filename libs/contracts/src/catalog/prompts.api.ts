import { z } from 'zod';
import { creditsSchema, idSchema } from '@atelier/kernel';
import { PROMPT_VISIBILITIES } from './prompt.events.js';

export const PROMPT_TITLE_CHARS_MAX = 200;
export const PROMPT_DESCRIPTION_CHARS_MAX = 2_000;
export const PROMPT_CONTENT_CHARS_MAX = 100_000;
export const PROMPT_ROLE_CHARS_MAX = 500;
export const PROMPT_CATEGORY_CHARS_MAX = 50;
export const PROMPT_TAGS_MAX = 20;
export const PROMPT_TAG_CHARS_MAX = 40;
export const PROMPT_CHANGES_CHARS_MAX = 500;
export const PROMPT_SEARCH_CHARS_MAX = 100;
/** Versions carry their content, so a page of them is small. */
export const PROMPT_VERSIONS_LIMIT_DEFAULT = 10;
export const PROMPT_VERSIONS_LIMIT_MAX = 20;

/** A deleted prompt has `deletedAt`; "deleted" is no status of its own (R84). */
export const PROMPT_STATUSES = ['draft', 'active', 'archived'] as const;
export const PROMPT_DIFFICULTIES = ['beginner', 'intermediate', 'advanced', 'expert'] as const;
export const PROMPT_TYPES = ['text', 'structured', 'template', 'workflow'] as const;

const languageNames = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
const isLanguage = (code: string): boolean =>
  /^[a-z]{2,3}$/.test(code) && languageNames.of(code) !== undefined;

const category = z.string().trim().toLowerCase().min(1).max(PROMPT_CATEGORY_CHARS_MAX);
const written = {
  title: z.string().trim().min(1).max(PROMPT_TITLE_CHARS_MAX),
  content: z.string().min(1).max(PROMPT_CONTENT_CHARS_MAX).regex(/\S/, { error: 'must not be blank' }),
  description: z.string().trim().max(PROMPT_DESCRIPTION_CHARS_MAX),
  /** The part that the model is asked to play. */
  role: z.string().trim().min(1).max(PROMPT_ROLE_CHARS_MAX),
  category,
  /** Lower-cased; a repeated tag counts once. */
  tags: z.array(z.string().trim().toLowerCase().min(1).max(PROMPT_TAG_CHARS_MAX)).max(PROMPT_TAGS_MAX),
  difficulty: z.enum(PROMPT_DIFFICULTIES),
  /** ISO 639, like `en` (R82). */
  language: z.string().refine(isLanguage, { error: 'expected an ISO 639 language code, like "en"' }),
  type: z.enum(PROMPT_TYPES),
  isTemplate: z.boolean(),
  /** `marketplace` is set by an approved listing and by nothing else. */
  visibility: z.enum(PROMPT_VISIBILITIES).exclude(['marketplace']),
};

/** `POST /api/v1/prompts` */
export const createPromptRequest = z.strictObject({
  ...written,
  description: written.description.default(''),
  role: written.role.optional(),
  category: category.default('general'),
  tags: written.tags.default([]),
  difficulty: written.difficulty.default('beginner'),
  language: written.language.default('en'),
  type: written.type.default('text'),
  isTemplate: written.isTemplate.default(false),
  visibility: written.visibility.default('private'),
});
export type CreatePromptRequest = z.infer<typeof createPromptRequest>;

/** `PATCH /api/v1/prompts/{id}`: what is named is changed; `role: null` takes the role away. */
export const updatePromptRequest = z
  .strictObject({
    ...written,
    role: written.role.nullable(),
    status: z.enum(PROMPT_STATUSES),
    /** What the author says of this version, for the history. */
    changes: z.string().trim().min(1).max(PROMPT_CHANGES_CHARS_MAX),
  })
  .partial()
  .refine((body) => Object.keys(body).some((field) => field !== 'changes'), {
    error: 'name at least one field to change',
  });
export type UpdatePromptRequest = z.infer<typeof updatePromptRequest>;

/** The filters of `GET /api/v1/prompts`, beside `limit` and `cursor`. */
export const promptFilters = {
  status: z.enum(PROMPT_STATUSES).optional(),
  category: category.optional(),
  /** Part of the title, the description or a tag; case does not matter. */
  q: z
    .string()
    .trim()
    .min(1)
    .max(PROMPT_SEARCH_CHARS_MAX)
    .regex(/^\P{Cc}*$/u, { error: 'must not have control characters' })
    .optional(),
};
export type PromptFilters = z.infer<z.ZodObject<typeof promptFilters>>;

/** The limits of `GET /api/v1/prompts/{id}/versions`. */
export const promptVersionsLimit = {
  limit: z.coerce.number().int().min(1).max(PROMPT_VERSIONS_LIMIT_MAX).default(PROMPT_VERSIONS_LIMIT_DEFAULT),
};

/** A prompt in a list: all but its content. */
export const promptSummaryView = z.object({
  id: idSchema('prm'),
  userId: idSchema('usr'),
  title: z.string(),
  description: z.string(),
  category: z.string(),
  tags: z.array(z.string()),
  difficulty: z.enum(PROMPT_DIFFICULTIES),
  language: z.string(),
  type: z.enum(PROMPT_TYPES),
  isTemplate: z.boolean(),
  status: z.enum(PROMPT_STATUSES),
  visibility: z.enum(PROMPT_VISIBILITIES),
  contentVersion: z.int(),
  /** Computed from the content (R20). */
  metadata: z.object({ wordCount: z.int(), tokenEstimate: z.int(), complexityScore: z.int() }),
  /** Where it is sold; null while no listing of it was approved. */
  listing: z.object({ id: idSchema('lst'), priceCredits: creditsSchema }).nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type PromptSummaryView = z.infer<typeof promptSummaryView>;

export const PROMPT_ACCESSES = ['owner', 'buyer', 'public'] as const;

/** `GET /api/v1/prompts/{id}`: `content` and `role` are there for the owner and for buyers only. */
export const promptView = promptSummaryView.extend({
  access: z.enum(PROMPT_ACCESSES),
  content: z.string().optional(),
  role: z.string().optional(),
  /** Only buyers see a deleted prompt. */
  deletedAt: z.iso.datetime().optional(),
});
export type PromptView = z.infer<typeof promptView>;

/** One row of a prompt's history, newest first. */
export const promptVersionView = z.object({
  id: idSchema('prv'),
  promptId: idSchema('prm'),
  versionNumber: z.int(),
  content: z.string(),
  role: z.string().optional(),
  type: z.enum(PROMPT_TYPES),
  changes: z.string(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
});
export type PromptVersionView = z.infer<typeof promptVersionView>;
