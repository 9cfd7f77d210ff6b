import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import {
  PromptCreated,
  PromptDeleted,
  PromptPublished,
  PromptUpdated,
} from '@atelier/contracts/catalog/prompt.events';
import type { Id } from '@atelier/kernel';
import { Projection, type EventOf, type Projects } from '@atelier/messaging';
import { currentSession, Database } from '@atelier/persistence';

/** PromptUpdated and PromptPublished have the shape of PromptCreated. */
type PromptFact = typeof PromptCreated | typeof PromptDeleted;

/** What commerce knows of a prompt: enough to let its owner, and nobody else, list it. */
export interface KnownPrompt {
  readonly _id: Id<'prm'>;
  readonly ownerId: Id<'usr'>;
  readonly title?: string;
  readonly category?: string;
  readonly tags?: readonly string[];
  readonly deletedAt?: Date;
  /** The prompt's version in catalog; an older fact never replaces a newer one. */
  readonly version: number;
}

const promptSchema = new mongoose.Schema<KnownPrompt>(
  {
    _id: { type: String, required: true },
    ownerId: { type: String, required: true },
    title: { type: String },
    category: { type: String },
    tags: { type: [String] },
    deletedAt: { type: Date },
    version: { type: Number, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
);

const WAIT_MS = 2_000;
const POLL_MS = 50;

/** Prompts and who owns them, from catalog's facts. */
@Projection({
  id: 'commerce.view-prompts',
  group: 'commerce.view-prompts',
  consumes: [PromptCreated, PromptUpdated, PromptPublished, PromptDeleted],
})
export class Prompts implements Projects<PromptFact> {
  private readonly rows: mongoose.Model<KnownPrompt>;

  constructor(database: Database) {
    this.rows = database.model<KnownPrompt>('view_prompts', promptSchema);
  }

  /** A prompt that is not deleted. One that is not known yet may have been written just now: waits up to 2 s for it. */
  async find(id: Id<'prm'>): Promise<KnownPrompt | undefined> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const row = await this.row(id);
      if (row) return row.deletedAt ? undefined : row;
      if (Date.now() >= deadline) return undefined;
      await sleep(POLL_MS);
    }
  }

  /** Whether catalog has told that this prompt is deleted. */
  async isDeleted(id: Id<'prm'>): Promise<boolean> {
    return (await this.row(id))?.deletedAt !== undefined;
  }

  async handle({ data, version }: EventOf<PromptFact>): Promise<void> {
    const { promptId, ownerId } = data;
    const known = await this.row(promptId);
    if (known && known.version >= version) return;
    const facts =
      'deletedAt' in data
        ? { deletedAt: new Date(data.deletedAt) }
        : { title: data.title, category: data.category, tags: data.tags };
    await this.rows.collection.updateOne(
      { _id: promptId as never },
      { $set: { ownerId, version, ...facts } },
      { upsert: true, session: currentSession() },
    );
  }

  async reset(): Promise<void> {
    await this.rows.collection.deleteMany({});
  }

  private async row(id: Id<'prm'>): Promise<KnownPrompt | null> {
    const row = await this.rows.collection.findOne({ _id: id as never }, { session: currentSession() });
    return row as unknown as KnownPrompt | null;
  }
}
