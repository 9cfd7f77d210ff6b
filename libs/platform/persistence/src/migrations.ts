import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import type mongoose from 'mongoose';
import { duplicateKeyFields } from './duplicate-key.js';

/**
 * One step of a collection's history (R562–R564): additive first, safe to run beside the version before, and
 * safe to run again after a crash.
 */
export interface Migration {
  /** `0003-purchase-status-index`: the number orders, the words tell. */
  readonly id: string;
  up(connection: mongoose.Connection): Promise<void>;
}

interface MigrationRow {
  _id: string;
  appliedAt: Date;
  durationMs: number;
}
interface LockRow {
  _id: 'lock';
  owner: string;
  until: Date;
}

const LOCK_MS = 60_000;
const LOCK_WAIT_MS = 120_000;
const LOCK_POLL_MS = 250;

/** Runs the migrations that `_migrations` does not list yet, one replica at a time. */
export async function migrate(
  connection: mongoose.Connection,
  migrations: readonly Migration[],
  log: LoggerService,
): Promise<void> {
  const ids = migrations.map(({ id }) => id);
  if (new Set(ids).size !== ids.length || [...ids].sort().some((id, index) => id !== ids[index])) {
    throw new Error('migrations must have distinct ids in ascending order');
  }
  if (migrations.length === 0) return;
  const history = connection.collection<MigrationRow>('_migrations');
  const release = await acquireLock(connection);
  try {
    const applied = new Set((await history.find({}).toArray()).map((row) => row._id));
    for (const migration of migrations) {
      if (applied.has(migration.id)) continue;
      const startedAt = Date.now();
      await migration.up(connection);
      await history.insertOne({
        _id: migration.id,
        appliedAt: new Date(),
        durationMs: Date.now() - startedAt,
      });
      log.log(`migration ${migration.id} applied in ${Date.now() - startedAt} ms`);
    }
  } finally {
    await release();
  }
}

async function acquireLock(connection: mongoose.Connection): Promise<() => Promise<void>> {
  const locks = connection.collection<LockRow>('_migration_lock');
  const owner = `${hostname()}:${process.pid}`;
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const now = new Date();
    try {
      await locks.updateOne(
        { _id: 'lock', until: { $lt: now } },
        { $set: { owner, until: new Date(now.getTime() + LOCK_MS) } },
        { upsert: true },
      );
      const renewal = setInterval(() => {
        void locks
          .updateOne({ _id: 'lock', owner }, { $set: { until: new Date(Date.now() + LOCK_MS) } })
          .catch(() => undefined);
      }, LOCK_MS / 3);
      return async () => {
        clearInterval(renewal);
        await locks.deleteOne({ _id: 'lock', owner });
      };
    } catch (error) {
      // The upsert collides with a lock that is still held.
      if (!duplicateKeyFields(error)) throw error;
    }
    if (Date.now() > deadline)
      throw new Error(`the migration lock is held by somebody else for ${LOCK_WAIT_MS} ms`);
    await sleep(LOCK_POLL_MS);
  }
}
