import {
  PromptCreated,
  PromptDeleted,
  PromptPublished,
  PromptUpdated,
  type PROMPT_VISIBILITIES,
} from '@atelier/contracts/catalog/prompt.events';
import type {
  CreatePromptRequest,
  PROMPT_ACCESSES,
  PROMPT_DIFFICULTIES,
  PROMPT_STATUSES,
  PROMPT_TYPES,
  UpdatePromptRequest,
} from '@atelier/contracts/catalog/prompts.api';
import { DomainError, type Change, type DomainEvent, type Id } from '@atelier/kernel';
import type {
  PromptAnalytics,
  PromptAi,
  PromptCollaboration,
  PromptPerformance,
} from './prompt-parts.domain.js';
import { measure, type PromptMetadata } from './prompt-metadata.domain.js';

/*
 * A prompt: somebody's text for a model, and what describes it.
 * - Content, role and type are one snapshot: a change of any of them is a new version in the history (R86, R91).
 * - What everybody can find is active: publishing takes a prompt out of draft or archive.
 * - While a listing sells it, its visibility and its status are the listing's business.
 * - Deleted is final; buyers keep what they bought.
 */

export type PromptStatus = (typeof PROMPT_STATUSES)[number];
export type PromptAccess = (typeof PROMPT_ACCESSES)[number];
type PromptType = (typeof PROMPT_TYPES)[number];

export interface Prompt {
  readonly id: Id<'prm'>;
  /** Of the aggregate: its ETag. The content's is `contentVersion`. */
  readonly version: number;
  readonly userId: Id<'usr'>;
  readonly title: string;
  readonly description: string;
  readonly content: string;
  readonly role?: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly difficulty: (typeof PROMPT_DIFFICULTIES)[number];
  readonly language: string;
  readonly type: PromptType;
  readonly status: PromptStatus;
  readonly visibility: (typeof PROMPT_VISIBILITIES)[number];
  readonly isTemplate: boolean;
  readonly isFeatured: boolean;
  readonly contentVersion: number;
  readonly latestVersionId: Id<'prv'>;
  readonly hasUnsavedChanges: boolean;
  readonly metadata: PromptMetadata;
  readonly marketplace?: PromptMarketplace;
  readonly projectId?: string;
  readonly folderId?: string;
  readonly parentPromptId?: string;
  readonly templateId?: string;
  readonly performance?: PromptPerformance;
  readonly analytics?: PromptAnalytics;
  readonly collaboration?: PromptCollaboration;
  readonly aiMetadata?: PromptAi;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly updatedAt: Date;
  readonly lastModifiedBy: string;
  readonly deletedAt?: Date;
  readonly deletedBy?: string;
}

/** A prompt as lists read it: its content may be a hundred thousand characters. */
export type PromptSummary = Omit<Prompt, 'content'>;

/** The listing that sells the prompt (R87). */
export interface PromptMarketplace {
  readonly isListed: boolean;
  readonly listingId: Id<'lst'>;
  readonly priceCredits: number;
  /** When the listing was approved; an older approval that comes late changes nothing. */
  readonly listedAt: Date;
  readonly salesCount?: number;
  readonly revenueCredits?: number;
  readonly averageRating?: number;
  readonly reviewCount?: number;
}

/** A snapshot of content, role and type; never changed (R91). */
export interface PromptVersion {
  readonly id: Id<'prv'>;
  readonly version: number;
  readonly promptId: Id<'prm'>;
  readonly userId: Id<'usr'>;
  readonly versionNumber: number;
  readonly content: string;
  readonly role?: string;
  readonly type: PromptType;
  readonly changes: string;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** A change of a prompt, with the row of its history that belongs to it. */
export interface PromptChange extends Change<Prompt> {
  readonly newVersion?: PromptVersion;
}

/** SM4 and SM14, read as their documents' order; deletion is possible from every status. */
export const PROMPT_TRANSITIONS: Readonly<Record<PromptStatus, readonly PromptStatus[]>> = {
  draft: ['active'],
  active: ['archived'],
  archived: ['active'],
};

const SNAPSHOT_FIELDS = ['content', 'role', 'type'] as const;
const CREATED_NOTE = 'Created.';

/** Writes a prompt. One that is public from the start is published at once. */
export function createPrompt(
  input: CreatePromptRequest,
  ids: { readonly promptId: Id<'prm'>; readonly versionId: Id<'prv'>; readonly userId: Id<'usr'> },
  now: Date,
): PromptChange {
  const { promptId, versionId, userId } = ids;
  const state: Prompt = {
    ...input,
    id: promptId,
    version: 0,
    userId,
    tags: distinct(input.tags),
    status: input.visibility === 'public' ? 'active' : 'draft',
    isFeatured: false,
    contentVersion: 1,
    latestVersionId: versionId,
    hasUnsavedChanges: false,
    metadata: measure(input.content),
    createdAt: now,
    createdBy: userId,
    updatedAt: now,
    lastModifiedBy: userId,
  };
  const events: DomainEvent[] = [PromptCreated(promptId, factOf(state))];
  if (state.visibility === 'public') events.push(PromptPublished(promptId, factOf(state)));
  return { state, events, newVersion: snapshotOf(state, CREATED_NOTE) };
}

/** Changes what the request names. A request that changes nothing answers the same state and no events. */
export function changePrompt(
  prompt: Prompt,
  { changes: note, role, ...request }: UpdatePromptRequest,
  versionId: Id<'prv'>,
  by: string,
  now: Date,
): PromptChange {
  assertNotDeleted(prompt);
  const wanted: Prompt = {
    ...prompt,
    ...request,
    ...(request.tags ? { tags: distinct(request.tags) } : {}),
    ...(role === undefined ? {} : { role: role ?? undefined }),
  };
  const published = wanted.visibility === 'public' && prompt.visibility !== 'public';
  if (wanted.visibility !== prompt.visibility) assertNotListed(prompt, 'visibility');
  if (wanted.status !== prompt.status) {
    assertNotListed(prompt, 'status');
    assertTransition(prompt.status, wanted.status);
  }
  if (published && request.status) assertPublishable(request.status);
  const target: Prompt = published ? { ...wanted, status: 'active' } : wanted;
  if (!FIELDS_OF_REQUEST.some((field) => !same(prompt[field], target[field])))
    return { state: prompt, events: [] };

  const changed = SNAPSHOT_FIELDS.filter((field) => prompt[field] !== target[field]);
  const state: Prompt = {
    ...target,
    ...(changed.length > 0 ? { contentVersion: prompt.contentVersion + 1, latestVersionId: versionId } : {}),
    metadata: changed.includes('content') ? measure(target.content) : prompt.metadata,
    updatedAt: now,
    lastModifiedBy: by,
  };
  const events: DomainEvent[] = [PromptUpdated(prompt.id, factOf(state))];
  if (published) events.push(PromptPublished(prompt.id, factOf(state)));
  return changed.length > 0
    ? { state, events, newVersion: snapshotOf(state, note ?? `Changed ${changed.join(', ')}.`) }
    : { state, events };
}

/**
 * Puts a prompt on the marketplace, because a listing of it was approved. Answers undefined when there is nothing
 * to do: the prompt is deleted, or it knows this approval or a newer one.
 */
export function listPrompt(
  prompt: Prompt,
  listing: { readonly listingId: Id<'lst'>; readonly priceCredits: number; readonly listedAt: Date },
  now: Date,
): PromptChange | undefined {
  if (prompt.deletedAt || (prompt.marketplace && prompt.marketplace.listedAt >= listing.listedAt))
    return undefined;
  const state: Prompt = {
    ...prompt,
    status: 'active',
    visibility: 'marketplace',
    marketplace: { ...prompt.marketplace, ...listing, isListed: true },
    updatedAt: now,
  };
  return { state, events: [PromptPublished(prompt.id, factOf(state))] };
}

/**
 * Takes a prompt off the marketplace, because its listing was withdrawn: only the owner and the buyers see it then.
 * Answers undefined when another listing, or none, sells it.
 */
export function unlistPrompt(prompt: Prompt, listingId: Id<'lst'>, now: Date): PromptChange | undefined {
  const { marketplace } = prompt;
  if (!marketplace?.isListed || marketplace.listingId !== listingId) return undefined;
  const state: Prompt = {
    ...prompt,
    visibility: 'private',
    marketplace: { ...marketplace, isListed: false },
    updatedAt: now,
  };
  return { state, events: prompt.deletedAt ? [] : [PromptUpdated(prompt.id, factOf(state))] };
}

/** Deletes a prompt for everybody but its buyers. Answers undefined when it is deleted already. */
export function deletePrompt(prompt: Prompt, by: string, now: Date): PromptChange | undefined {
  if (prompt.deletedAt) return undefined;
  const state: Prompt = { ...prompt, deletedAt: now, deletedBy: by, updatedAt: now, lastModifiedBy: by };
  const { id: promptId, userId: ownerId } = prompt;
  return { state, events: [PromptDeleted(promptId, { promptId, ownerId, deletedAt: now.toISOString() })] };
}

/** What a reader may see: everything, the public fields, or (undefined) not even that the prompt exists. */
export function accessTo(prompt: Prompt, readerId: string, isBuyer: boolean): PromptAccess | undefined {
  if (prompt.userId === readerId) return prompt.deletedAt ? undefined : 'owner';
  if (isBuyer) return 'buyer';
  const canBeFound = prompt.visibility === 'public' || prompt.visibility === 'marketplace';
  return canBeFound && prompt.status === 'active' && !prompt.deletedAt ? 'public' : undefined;
}

/** 404, also for what is somebody else's: whether it exists is nobody's business. */
export const promptNotFound = (promptId: string): DomainError =>
  new DomainError({
    kind: 'not_found',
    code: 'catalog.prompt.not_found',
    detail: `There is no prompt ${promptId} that you may see. Check the id, or sign in as its owner or a buyer.`,
  });

const FIELDS_OF_REQUEST = [
  'title',
  'description',
  'content',
  'role',
  'category',
  'tags',
  'difficulty',
  'language',
  'type',
  'isTemplate',
  'status',
  'visibility',
] as const;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const distinct = (tags: readonly string[]): string[] => [...new Set(tags)];

const factOf = (prompt: Prompt) => ({
  promptId: prompt.id,
  ownerId: prompt.userId,
  title: prompt.title,
  description: prompt.description,
  category: prompt.category,
  tags: [...prompt.tags],
  visibility: prompt.visibility,
  contentVersion: prompt.contentVersion,
});

const snapshotOf = (prompt: Prompt, changes: string): PromptVersion => ({
  id: prompt.latestVersionId,
  version: 0,
  promptId: prompt.id,
  userId: prompt.userId,
  versionNumber: prompt.contentVersion,
  content: prompt.content,
  ...(prompt.role === undefined ? {} : { role: prompt.role }),
  type: prompt.type,
  changes,
  createdAt: prompt.updatedAt,
  createdBy: prompt.lastModifiedBy,
});

function assertNotDeleted(prompt: Prompt): void {
  if (prompt.deletedAt) throw promptNotFound(prompt.id);
}

function assertNotListed(prompt: Prompt, field: 'visibility' | 'status'): void {
  if (prompt.visibility !== 'marketplace') return;
  throw new DomainError({
    kind: 'conflict',
    code: 'catalog.prompt.listed',
    detail: `The prompt is on the marketplace, so its ${field} cannot be changed. Take its listing down first.`,
    errors: [{ pointer: `/${field}`, detail: 'cannot change while the prompt is listed' }],
  });
}

function assertPublishable(status: PromptStatus): void {
  if (status === 'active') return;
  throw new DomainError({
    kind: 'conflict',
    code: 'catalog.prompt.status_refused',
    detail: `To publish a prompt makes it active; it cannot become ${status} at once. Leave the status out.`,
    errors: [{ pointer: '/status', detail: 'must be active, or left out, when the prompt becomes public' }],
  });
}

function assertTransition(from: PromptStatus, to: PromptStatus): void {
  if (PROMPT_TRANSITIONS[from].includes(to)) return;
  throw new DomainError({
    kind: 'conflict',
    code: 'catalog.prompt.status_refused',
    detail: `A prompt that is ${from} cannot become ${to}; it can become ${PROMPT_TRANSITIONS[from].join(' or ')}.`,
    errors: [{ pointer: '/status', detail: `cannot follow ${from}` }],
  });
}
