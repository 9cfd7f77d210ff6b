import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import type { Id } from '@atelier/kernel';
import { currentSession, Database } from '@atelier/persistence';
import type { BankTransfer } from './bank-transfer.domain.js';

const schema = new mongoose.Schema<BankTransfer>(
  {
    _id: { type: String, required: true },
    providerAccountId: { type: String, required: true },
    amount: { type: Number, required: true, min: 1 },
    currency: { type: String, required: true },
    text: { type: String, required: true },
    status: { type: String, required: true, enum: ['ordered', 'paid', 'failed'] },
    reason: { type: String },
    bankFileId: { type: String },
    createdAt: { type: Date, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
).index({ bankFileId: 1, createdAt: 1, _id: 1 });

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

  /** Puts the oldest transfers that are in no file yet into this one. */
  async takeInto(bankFileId: Id<'bkf'>, limit: number): Promise<void> {
    const session = currentSession();
    const free = this.rows.find({ bankFileId: null }, { projection: { _id: 1 }, session });
    const ids = (await free.sort({ createdAt: 1, _id: 1 }).limit(limit).toArray()).map(({ _id }) => _id);
    await this.rows.updateMany(
      { _id: { $in: ids }, bankFileId: null },
      { $set: { bankFileId } },
      { session },
    );
  }

  /** The transfers of a file, the oldest first. */
  ofFile(bankFileId: Id<'bkf'>, limit: number): Promise<BankTransfer[]> {
    const rows = this.rows.find({ bankFileId }, { session: currentSession() });
    return rows.sort({ createdAt: 1, _id: 1 }).limit(limit).toArray();
  }

  /** Writes down what the bank said, unless it is written down: then answers undefined. */
  async confirm(
    id: string,
    outcome: Pick<BankTransfer, 'status' | 'reason'>,
  ): Promise<BankTransfer | undefined> {
    const row = await this.rows.findOneAndUpdate(
      { _id: id, status: 'ordered', bankFileId: { $ne: null } },
      { $set: outcome },
      { returnDocument: 'after', session: currentSession() },
    );
    return row ?? undefined;
  }

  private get rows(): mongoose.mongo.Collection<BankTransfer> {
    return this.model.collection as unknown as mongoose.mongo.Collection<BankTransfer>;
  }
}
