import { EventEmitter } from 'node:events';
import type mongoose from 'mongoose';
import { JOB_STATUSES, type JobStatus } from '@atelier/contracts/studio/jobs.api';
import { type Change, type Context, newId, type Page } from '@atelier/kernel';
import {
  afterCommit,
  fromDocument,
  Repository,
  type OwnedFilter,
  type PageRequest,
  type Stored,
} from '@atelier/persistence';
import type { Job, JobSubject } from './job.domain.js';

type Row = mongoose.AnyObject;
type RowFilter = mongoose.mongo.Filter<Row>;

/** The fields that every kind's collection has. */
export const jobFields = {
  userId: { type: String },
  status: { type: String, required: true, enum: JOB_STATUSES },
  progress: { type: Number, required: true, min: 0, max: 100 },
  costCredits: { type: Number, required: true, min: 0 },
  holdId: { type: String, default: null },
  retryCount: { type: Number, required: true, min: 0 },
  maxRetries: { type: Number, required: true, min: 0 },
  queuedAt: { type: Date, default: null },
  availableAt: { type: Date, default: null },
  leaseId: { type: String, default: null },
  leasedUntil: { type: Date, default: null },
  errorCode: { type: String },
  errorMessage: { type: String },
  correlationId: { type: String, required: true },
  causationId: { type: String, required: true },
  traceparent: { type: String },
  tenantId: { type: String },
  processingStartedAt: { type: Date, default: null },
  processingCompletedAt: { type: Date, default: null },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
} satisfies Record<string, mongoose.SchemaDefinitionProperty>;

/** The indexes that the queries below and R267 need. */
export function withJobIndexes<Document>(schema: mongoose.Schema<Document>): mongoose.Schema<Document> {
  const indexes: mongoose.IndexDefinition[] = [
    { userId: 1, createdAt: -1, _id: -1 },
    { userId: 1, status: 1, createdAt: -1, _id: -1 },
    { status: 1, availableAt: 1, _id: 1 },
    { status: 1, leasedUntil: 1 },
    { status: 1, createdAt: 1 },
    { status: 1, updatedAt: 1 },
    { status: 1, currentStage: 1 },
  ];
  for (const index of indexes) schema.index(index);
  return schema;
}

export interface JobDeadlines {
  /** Intents from before then are given up. */
  readonly intentsBefore: Date;
  /** Jobs from before then have waited long enough. */
  readonly jobsBefore: Date;
}

/**
 * The queue and the history of one kind of job. Beside `save` it has the writes of a lease: they change no fact,
 * each is one atomic step, and each counts up `version` where a concurrent `save` must not miss it.
 */
export abstract class JobRepository<J extends Job> extends Repository<J, 'userId'> {
  private readonly changes = new EventEmitter();

  /** What the facts of this kind tell of a job. */
  abstract subjectOf(job: J): JobSubject;

  /** Calls back with each job that this process has changed, as it is then. Of other replicas it hears nothing. */
  onChanged(listener: (job: J) => void): void {
    this.changes.on('changed', listener);
  }

  override async save(change: Change<J>, context: Context): Promise<J> {
    const saved = await super.save(change, context);
    afterCommit(() => this.tell(saved));
    return saved;
  }

  /** The user's own jobs, newest first. */
  history(userId: string, status: JobStatus | undefined, page: PageRequest<J>): Promise<Page<J>> {
    return this.page({ userId, ...(status ? { status } : {}) } as OwnedFilter<J, 'userId'>, page);
  }

  /** How many other jobs of the user have not ended. */
  countOpenBeside(jobId: string, userId: string): Promise<number> {
    return this.rows.countDocuments({
      userId,
      status: { $in: ['pending', 'processing'] },
      _id: { $ne: jobId },
    } as unknown as RowFilter);
  }

  /** The jobs with these ids, in no order. */
  async many(ids: readonly string[]): Promise<J[]> {
    return this.found(this.rows.find({ _id: { $in: [...ids] } } as unknown as RowFilter).limit(ids.length));
  }

  /** Takes the job that has waited longest, for the length of a lease. Two workers never get the same one. */
  async claim(leaseMs: number, now: Date): Promise<J | undefined> {
    const row = await this.rows.findOneAndUpdate(
      { status: 'pending', availableAt: { $ne: null, $lte: now } },
      {
        $set: {
          status: 'processing',
          leaseId: newId('lea'),
          leasedUntil: new Date(now.getTime() + leaseMs),
          processingStartedAt: now,
          updatedAt: now,
        },
        $inc: { version: 1 },
      },
      { sort: { availableAt: 1, _id: 1 }, returnDocument: 'after' },
    );
    return row ? this.tell(this.state(row)) : undefined;
  }

  /** Says that the worker is alive. False when the lease is somebody else's by now, or the job has ended. */
  async renew(id: string, leaseId: string, leaseMs: number, now: Date): Promise<boolean> {
    const leasedUntil = new Date(now.getTime() + leaseMs);
    const { matchedCount } = await this.rows.updateOne(leased(id, leaseId), { $set: { leasedUntil } });
    return matchedCount === 1;
  }

  /** Makes progress visible while the job runs. False as in `renew`. */
  async advance(id: string, leaseId: string, fields: Partial<J>, now: Date): Promise<boolean> {
    const row = await this.rows.findOneAndUpdate(
      leased(id, leaseId),
      { $set: { ...fields, updatedAt: now }, $inc: { version: 1 } },
      { returnDocument: 'after' },
    );
    if (row) this.tell(this.state(row));
    return row !== null;
  }

  /** Jobs whose worker has not been heard of. */
  abandoned(now: Date, limit: number): Promise<J[]> {
    return this.found(
      this.rows
        .find({ status: 'processing', leasedUntil: { $lt: now } })
        .sort({ leasedUntil: 1 })
        .limit(limit),
    );
  }

  /** Intents and jobs that will not come to an end by themselves. */
  overdue({ intentsBefore, jobsBefore }: JobDeadlines, limit: number): Promise<J[]> {
    return this.found(
      this.rows
        .find({
          status: { $in: ['pending', 'processing'] },
          $or: [{ createdAt: { $lt: jobsBefore } }, { queuedAt: null, createdAt: { $lt: intentsBefore } }],
        })
        .sort({ createdAt: 1 })
        .limit(limit),
    );
  }

  protected get rows(): mongoose.mongo.Collection<Row> {
    return this.model.collection;
  }

  private tell(job: J): J {
    this.changes.emit('changed', job);
    return job;
  }

  private async found(cursor: mongoose.mongo.FindCursor<mongoose.mongo.WithId<Row>>): Promise<J[]> {
    return (await cursor.toArray()).map((row) => this.state(row));
  }

  private state(row: Row): J {
    return fromDocument<J>(row as unknown as Stored<J>);
  }
}

const leased = (id: string, leaseId: string): RowFilter =>
  ({ _id: id, leaseId, status: 'processing' }) as unknown as RowFilter;
