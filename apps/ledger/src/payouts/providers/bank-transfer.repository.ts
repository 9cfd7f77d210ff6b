import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { VersionConflict, type Id } from '@atelier/kernel';
import { currentSession, Database, duplicateKeyFields } from '@atelier/persistence';
import { TRANSFER_PURPOSES, type BankTransfer } from './bank-transfer.domain.js';

const schema = new mongoose.Schema<BankTransfer>(
  {
    _id: { type: String, required: true },
    purpose: { type: String, required: true, enum: TRANSFER_PURPOSES },
    providerAccountId: { type: String, required: true },
    amount: { type: Number, required: true, min: 1 },
    currency: { type: String, required: true },
    text: { type: String, required: true },
    status: { type: String, required: true, enum: ['ordered', 'paid', 'failed'] },
    reason: { type: String },
    bankFileId: { type: String },
    fileVersion: { type: Number },
    createdAt: { type: Date, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
)
  .index({ bankFileId: 1, purpose: 1, createdAt: 1, _id: 1 })
  .index(
    { bankFileId: 1, fileVersion: 1 },
    { unique: true, partialFilterExpression: { fileVersion: { $exists: true } } },
  );

const IN_TURN = { purpose: 1, createdAt: 1, _id: 1 } as const;

@Injectable()
export class BankTransferRepository {
  private readonly model: mongoose.Model<BankTransfer>;

  constructor(database: Database) {
    this.model = database.model<BankTransfer>('bank_transfers', schema);
  }

  /** Orders a transfer; one that is ordered already stays as it is. */
  async order({ _id, ...transfer }: Omit<BankTransfer, 'status' | 'bankFileId'>): Promise<void> {
    await this.rows.updateOne(
      { _id },
      { $setOnInsert: { ...transfer, status: 'ordered', bankFileId: null } },
      { upsert: true },
    );
  }

  async find(id: string): Promise<BankTransfer | undefined> {
    return (await this.rows.findOne({ _id: id }, { session: currentSession() })) ?? undefined;
  }

  /** Takes a transfer back that is in no file yet. */
  async withdraw(id: string): Promise<void> {
    await this.rows.deleteOne({ _id: id, bankFileId: null });
  }

  /** The transfers that are in no file yet, those that leave first in front. */
  waiting(limit: number): AsyncIterable<BankTransfer> {
    return this.rows.find({ bankFileId: null }).sort(IN_TURN).limit(limit);
  }

  /** Puts those of these transfers that are in no file yet into this one. Answers how many. */
  async takeInto(bankFileId: Id<'bkf'>, ids: readonly string[]): Promise<number> {
    const { modifiedCount } = await this.rows.updateMany(
      { _id: { $in: [...ids] }, bankFileId: null },
      { $set: { bankFileId } },
      { session: currentSession() },
    );
    return modifiedCount;
  }

  /** How many transfers a file has. */
  countOf(bankFileId: Id<'bkf'>): Promise<number> {
    return this.rows.countDocuments({ bankFileId }, { session: currentSession() });
  }

  /** The transfers of a file, in the order in which they waited. */
  ofFile(bankFileId: Id<'bkf'>, limit: number): Promise<BankTransfer[]> {
    return this.rows.find({ bankFileId }).sort(IN_TURN).limit(limit).toArray();
  }

  /** How many transfers of a file were confirmed. */
  countConfirmed(bankFileId: Id<'bkf'>): Promise<number> {
    const filter = { bankFileId, fileVersion: { $exists: true } };
    return this.rows.countDocuments(filter, { session: currentSession() });
  }

  /** Writes down what the bank said. Throws VersionConflict when another one of the file was confirmed meanwhile. */
  async confirm(
    id: string,
    outcome: Pick<BankTransfer, 'status' | 'reason' | 'fileVersion'>,
  ): Promise<BankTransfer> {
    try {
      const row = await this.rows.findOneAndUpdate(
        { _id: id, status: 'ordered' },
        { $set: outcome },
        { returnDocument: 'after', session: currentSession() },
      );
      if (row) return row;
    } catch (error) {
      if (!duplicateKeyFields(error)) throw error;
    }
    throw new VersionConflict('bank_transfers', id);
  }

  private get rows(): mongoose.mongo.Collection<BankTransfer> {
    return this.model.collection as unknown as mongoose.mongo.Collection<BankTransfer>;
  }
}
