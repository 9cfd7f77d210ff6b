import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { DomainError } from '@atelier/kernel';
import { Database, duplicateKeyFields } from '@atelier/persistence';
import { type ConfigOf, InjectConfig } from '@atelier/service';
import { identityConfig } from '../identity.config.js';
import { DerivedKeys } from '../keys/derived-keys.js';

interface ThrottleRow {
  /** `<account|address>:<keyed hash>:<window>`: nobody's address or e-mail can be read here. */
  _id: string;
  attempts: number;
  expiresAt: Date;
}

const schema = new mongoose.Schema<ThrottleRow>(
  {
    _id: { type: String, required: true },
    attempts: { type: Number, required: true },
    expiresAt: { type: Date, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
).index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

const INCREMENT_ATTEMPTS_MAX = 3;

/** A log-in that was let through; it counts as failed until `forgive` takes it back. */
export interface LogInAttempt {
  readonly account: string;
  readonly address?: string;
}

/** Refused for now: too many failures in this window. `first` is true once per window and key. */
export class TooManyLogIns extends DomainError {
  constructor(
    readonly scope: 'account' | 'address',
    readonly first: boolean,
    retryAfterSeconds: number,
  ) {
    super({
      kind: 'too_many_requests',
      code: 'identity.login.too_many_attempts',
      detail: 'Too many log-ins have failed. Wait before you try again.',
      retryAfterSeconds,
    });
  }
}

/**
 * Counts log-ins per account and per IP address in fixed windows. An attempt is counted before its password is
 * looked at, so that many at the same time cannot slip through; a success takes it back. Unknown e-mail addresses
 * are counted like known ones.
 */
@Injectable()
export class LogInThrottle {
  private readonly rows: mongoose.Model<ThrottleRow>;

  constructor(
    database: Database,
    private readonly keys: DerivedKeys,
    @InjectConfig(identityConfig) private readonly config: ConfigOf<typeof identityConfig>,
  ) {
    this.rows = database.model<ThrottleRow>('log_in_throttles', schema);
  }

  /** Throws TooManyLogIns with the seconds until the window ends. */
  async begin(email: string, ipAddress: string | undefined, now: Date): Promise<LogInAttempt> {
    const { LOG_IN_FAILURES_PER_ACCOUNT_MAX, LOG_IN_FAILURES_PER_ADDRESS_MAX } = this.config;
    // The address first: what it may no longer try must not lock other people's accounts.
    const address =
      ipAddress === undefined
        ? undefined
        : await this.count('address', ipAddress, LOG_IN_FAILURES_PER_ADDRESS_MAX, now);
    const account = await this.count('account', email, LOG_IN_FAILURES_PER_ACCOUNT_MAX, now);
    return { account, ...(address === undefined ? {} : { address }) };
  }

  /** The password was right: the account starts anew, and the address gets this attempt back. */
  async succeed({ account, address }: LogInAttempt): Promise<void> {
    await this.rows.collection.deleteOne({ _id: account as never });
    if (address !== undefined) await this.giveBack(address);
  }

  /** The attempt was never decided, so it does not count. */
  async forgive({ account, address }: LogInAttempt): Promise<void> {
    await this.giveBack(account);
    if (address !== undefined) await this.giveBack(address);
  }

  private async count(scope: 'account' | 'address', value: string, max: number, now: Date): Promise<string> {
    const windowMs = this.config.LOG_IN_WINDOW_MS;
    const window = Math.floor(now.getTime() / windowMs);
    const endsAt = (window + 1) * windowMs;
    const id = `${scope}:${this.keys.mac('throttle', value)}:${window}`;
    const attempts = await this.increment(id, new Date(endsAt));
    if (attempts > max)
      throw new TooManyLogIns(scope, attempts === max + 1, Math.ceil((endsAt - now.getTime()) / 1000));
    return id;
  }

  /** In two steps: what an upsert answers to several who are the first at once is not the same on every server. */
  private async increment(id: string, expiresAt: Date): Promise<number> {
    for (let attempt = 1; attempt <= INCREMENT_ATTEMPTS_MAX; attempt++) {
      const row = await this.rows.collection.findOneAndUpdate(
        { _id: id as never },
        { $inc: { attempts: 1 } },
        { returnDocument: 'after' },
      );
      if (row) return Number(row['attempts']);
      await this.rows.collection
        .insertOne({ _id: id as never, attempts: 0, expiresAt })
        .catch((error: unknown) => {
          if (!duplicateKeyFields(error)) throw error;
        });
    }
    throw new Error('log_in_throttles: a row is gone as soon as it is made; is a clock wrong?');
  }

  private async giveBack(id: string): Promise<void> {
    await this.rows.collection.updateOne(
      { _id: id as never, attempts: { $gt: 0 } },
      { $inc: { attempts: -1 } },
    );
  }
}
