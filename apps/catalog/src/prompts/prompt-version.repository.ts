import { Injectable } from '@nestjs/common';
import { aggregateSchema, Database, Outbox, Repository, type OwnedFilter } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import type { PromptVersion } from './prompt.domain.js';

const text = { type: String, required: true };

const schema = aggregateSchema<PromptVersion>({
  promptId: text,
  userId: text,
  versionNumber: { type: Number, required: true, min: 1 },
  content: text,
  role: { type: String },
  type: text,
  changes: text,
  createdAt: { type: Date, required: true },
  createdBy: text,
})
  .index({ promptId: 1, versionNumber: 1 }, { unique: true })
  .index({ userId: 1, promptId: 1, versionNumber: -1, _id: -1 });

/** The history of prompts. Rows are only added, by the prompt's own save. */
@Injectable()
export class PromptVersionRepository extends Repository<PromptVersion, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'prompt_versions', schema, owner: ['userId'] });
  }

  /** One page of a prompt's history, newest first. */
  list(userId: string, promptId: string, limit: number, cursor?: string): Promise<Page<PromptVersion>> {
    const filter = { userId, promptId } as OwnedFilter<PromptVersion, 'userId'>;
    return this.page(filter, { limit, cursor, sort: { by: 'versionNumber', direction: -1 } });
  }
}
