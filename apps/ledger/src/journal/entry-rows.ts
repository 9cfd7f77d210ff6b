import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { currentSession, Database } from '@atelier/persistence';
import type { Entry } from './entry.domain.js';

export type EntryRow = Omit<Entry, 'id'> & { readonly _id: Entry['id'] };

const schema = new mongoose.Schema<EntryRow>(
  {
    _id: { type: String, required: true },
    causeId: { type: String, required: true },
    sourceId: { type: String, required: true },
    postings: { type: [mongoose.Schema.Types.Mixed], required: true },
    reverses: { type: String },
    links: { type: [mongoose.Schema.Types.Mixed], required: true },
    correlationId: { type: String, required: true },
    createdAt: { type: Date, required: true },
    hash: { type: String, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false, id: false },
)
  .index({ causeId: 1 }, { unique: true })
  .index({ sourceId: 1 })
  .index({ 'links.account': 1, 'links.sequence': 1 });

/** The collection of the journal, as writing an entry needs it. Entries are inserted, never changed. */
@Injectable()
export class EntryRows {
  private readonly model: mongoose.Model<EntryRow>;

  constructor(database: Database) {
    this.model = database.model<EntryRow>('journal_entries', schema);
  }

  get collection(): mongoose.mongo.Collection<EntryRow> {
    return this.model.collection as unknown as mongoose.mongo.Collection<EntryRow>;
  }

  /** Adds entries to the running transaction. */
  async insert(entries: readonly Entry[]): Promise<void> {
    await this.collection.insertMany(
      entries.map(({ id, ...entry }) => ({ _id: id, ...entry })),
      { session: currentSession() },
    );
  }

  /** The hashes of these entries; a missing entry is missing in the answer. */
  async hashesOf(ids: readonly Entry['id'][]): Promise<ReadonlyMap<Entry['id'], string>> {
    const found = this.collection.find(
      { _id: { $in: [...ids] } },
      { projection: { hash: 1 }, session: currentSession() },
    );
    return new Map((await found.toArray()).map(({ _id, hash }) => [_id, hash]));
  }
}
