import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import type { PromptFilters } from '@atelier/contracts/catalog/prompts.api';
import type { Context } from '@atelier/kernel';
import {
  aggregateSchema,
  Database,
  duplicateKeyFields,
  Outbox,
  Repository,
  type OwnedFilter,
} from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { PromptVersionRepository } from './prompt-version.repository.js';
import type { Prompt, PromptChange, PromptSummary } from './prompt.domain.js';

const { Mixed } = mongoose.Schema.Types;
const text = { type: String, required: true };
const flag = { type: Boolean, required: true };
const date = { type: Date, required: true };
/** An embedded document; absent as a whole until something fills it, unless required. */
const part = (fields: mongoose.SchemaDefinition, required = false) => ({
  type: new mongoose.Schema(fields, { _id: false, id: false, strict: 'throw' }),
  required,
});
const counts = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { type: Number, min: 0 }]));

const schema = aggregateSchema<Prompt>({
  userId: text,
  title: text,
  // Not required: mongoose takes an empty text for a missing one.
  description: { type: String },
  content: text,
  role: { type: String },
  category: text,
  tags: { type: [String], required: true },
  difficulty: text,
  language: text,
  type: text,
  status: text,
  visibility: text,
  isTemplate: flag,
  isFeatured: flag,
  contentVersion: { type: Number, required: true, min: 1 },
  latestVersionId: text,
  hasUnsavedChanges: flag,
  metadata: part(counts('wordCount', 'tokenEstimate', 'complexityScore'), true),
  marketplace: part({
    isListed: flag,
    listingId: text,
    listedAt: date,
    ...counts('priceCredits', 'salesCount', 'revenueCredits', 'averageRating', 'reviewCount'),
  }),
  projectId: { type: String },
  folderId: { type: String },
  parentPromptId: { type: String },
  templateId: { type: String },
  performance: part(
    counts('rating', 'effectiveness', 'testCount', 'successRate', 'avgResponseTimeMs', 'tokenCount'),
  ),
  analytics: part({
    ...counts('viewCount', 'useCount', 'shareCount', 'likeCount', 'downloadCount', 'commentCount'),
    lastUsedAt: { type: Date },
  }),
  collaboration: part({
    isCollaborative: flag,
    allowedUserIds: [String],
    permissions: [part({ userId: text, permission: text }).type],
    activeEditorIds: [String],
    lastEditedBy: { type: String },
    lockExpiresAt: { type: Date },
  }),
  aiMetadata: part({
    generatedBy: { type: String },
    enhancedBy: { type: String },
    optimizationHistory: [part({ model: text, at: date, note: { type: String } }).type],
    modelCompatibility: [String],
    parameters: { type: Mixed },
  }),
  createdAt: date,
  createdBy: text,
  updatedAt: date,
  lastModifiedBy: text,
  deletedAt: { type: Date },
  deletedBy: { type: String },
})
  // Without `deletedAt`: a search for null is two ranges of an index, and would cost the order of the rest.
  .index({ userId: 1, createdAt: -1, _id: -1 })
  .index({ userId: 1, status: 1, createdAt: -1, _id: -1 })
  .index({ userId: 1, category: 1, createdAt: -1, _id: -1 });

@Injectable()
export class PromptRepository extends Repository<Prompt, 'userId'> {
  constructor(
    database: Database,
    outbox: Outbox,
    private readonly versions: PromptVersionRepository,
  ) {
    super(database, outbox, { collection: 'prompts', schema, owner: ['userId'] });
  }

  /** Saves the prompt, and the row of its history that the change brings, in one transaction. */
  override async save(change: PromptChange, context: Context): Promise<Prompt> {
    const { newVersion } = change;
    if (!newVersion) return super.save(change, context);
    try {
      return await this.database.transaction(async () => {
        const saved = await super.save(change, context);
        await this.versions.save({ state: newVersion, events: [] }, context);
        return saved;
      });
    } catch (error) {
      // A repeated creation, whose first run got through: its answer is what is stored.
      const isRepeat = change.state.version === 0 && duplicateKeyFields(error)?.includes('_id');
      const stored = isRepeat ? await this.loadAcrossOwners(change.state.id, 'system') : undefined;
      if (stored) return stored;
      throw error;
    }
  }

  /** One page of a user's prompts, newest first, without the deleted ones. */
  list(userId: string, filters: PromptFilters, limit: number, cursor?: string): Promise<Page<PromptSummary>> {
    const { q, status, category } = filters;
    const part = q === undefined ? undefined : { $regex: escapeRegex(q), $options: 'i' };
    const filter: Record<string, unknown> = {
      userId,
      deletedAt: null,
      ...(status ? { status } : {}),
      ...(category ? { category } : {}),
      ...(part ? { $or: [{ title: part }, { description: part }, { tags: part }] } : {}),
    };
    return this.page(filter as OwnedFilter<Prompt, 'userId'>, { limit, cursor, without: ['content'] });
  }

  /** Some of a user's prompts that are not deleted; all when there are fewer than `limit`. */
  async liveOf(userId: string, limit: number): Promise<readonly Prompt[]> {
    const filter = { userId, deletedAt: null } as unknown as OwnedFilter<Prompt, 'userId'>;
    return (await this.page(filter, { limit })).items;
  }
}

const escapeRegex = (value: string): string => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
