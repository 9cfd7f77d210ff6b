import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { currentSession, Database } from '@atelier/persistence';
import type { Person } from './referral.domain.js';

type Row = Omit<Person, 'userId'> & { readonly _id: Person['userId'] };

const schema = new mongoose.Schema<Row>(
  {
    _id: { type: String, required: true },
    ownCode: { type: String },
    ipAddressHash: { type: String },
    cameWithCode: { type: String },
    firstPaymentId: { type: String },
  },
  { versionKey: false, strict: 'throw', _id: false, id: false },
)
  .index({ ownCode: 1 }, { unique: true, sparse: true })
  .index({ cameWithCode: 1, _id: 1 });

/** A code, and how many facts were about it of those who could not see whose it is, and of its owner. */
interface CodeRow {
  readonly _id: string;
  readonly facts: number;
}
const codeSchema = new mongoose.Schema<CodeRow>(
  { _id: { type: String, required: true }, facts: { type: Number, required: true } },
  { versionKey: false, strict: 'throw', _id: false, id: false },
);

/**
 * What facts have told of people, one row each. A registration and a first payment write to the same row, so of
 * two that are handled at the same time the second sees the first, and none of the two is lost between them.
 */
@Injectable()
export class PersonRepository {
  private readonly model: mongoose.Model<Row>;
  private readonly codes: mongoose.Model<CodeRow>;

  constructor(database: Database) {
    this.model = database.model<Row>('referral_people', schema);
    this.codes = database.model<CodeRow>('referral_codes', codeSchema);
  }

  /** Adds what a registration tells, and answers all that is known. */
  registered({ userId, ...facts }: Omit<Person, 'firstPaymentId'>): Promise<Person> {
    return this.merge(userId, { $set: facts });
  }

  /** Adds that the person has paid, and answers all that is known. A later payment changes nothing. */
  async paid(
    userId: Person['userId'],
    firstPaymentId: NonNullable<Person['firstPaymentId']>,
  ): Promise<Person> {
    const known = await this.load(userId);
    return known?.firstPaymentId ? known : this.merge(userId, { $set: { firstPaymentId } });
  }

  async load(userId: string): Promise<Person | undefined> {
    const row = await this.rows.findOne({ _id: userId as Row['_id'] }, { session: currentSession() });
    return row ? toPerson(row) : undefined;
  }

  async byOwnCode(ownCode: string): Promise<Person | undefined> {
    const row = await this.rows.findOne({ ownCode }, { session: currentSession() });
    return row ? toPerson(row) : undefined;
  }

  /** The first people who came with this code. */
  async cameWith(cameWithCode: string, limit: number): Promise<Person[]> {
    const rows = this.rows.find({ cameWithCode }, { session: currentSession() });
    return (await rows.sort({ _id: 1 }).limit(limit).toArray()).map(toPerson);
  }

  /**
   * Makes two transactions that are about one code exclude each other. The owner's looks for people who came with
   * the code, theirs for its owner: at the same time neither sees the other, and the referral would be lost between
   * them. Both write this row, so one of them is begun anew, and sees.
   */
  async contend(code: string): Promise<void> {
    await this.codes.collection.updateOne(
      { _id: code as never },
      { $inc: { facts: 1 } },
      { upsert: true, session: currentSession() },
    );
  }

  private async merge(userId: Person['userId'], update: mongoose.mongo.UpdateFilter<Row>): Promise<Person> {
    const row = await this.rows.findOneAndUpdate({ _id: userId }, update, {
      upsert: true,
      returnDocument: 'after',
      session: currentSession(),
    });
    return toPerson(row!);
  }

  private get rows(): mongoose.mongo.Collection<Row> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Row>;
  }
}

const toPerson = ({ _id, ...row }: Row): Person => ({ userId: _id, ...row });
