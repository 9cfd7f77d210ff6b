import { randomBytes } from 'node:crypto';
import mongoose from 'mongoose';
import { Database, Outbox } from '@atelier/persistence';
import { newId, type Context, type Id } from '@atelier/kernel';
import { ledgerConfig } from '@atelier/ledger/ledger.config';
import { LedgerModule } from '@atelier/ledger/ledger.module';
import { PlaceHold } from '@atelier/ledger/holds/place-hold.usecase';
import { SettleHold } from '@atelier/ledger/holds/settle-hold.usecase';
import { userAccount, type EntryDraft } from '@atelier/ledger/journal/entry.domain';
import { PostEntry } from '@atelier/ledger/journal/post-entry.usecase';
import { createService, type RunningService } from '@atelier/service';
import type { Stack } from '@atelier/stack';
import { cpuSecondsOfTree } from './processes.js';
import { notOurs } from './stage.js';
import type { Cpu, NotMeasured } from './report.js';

const DRAIN_TIMEOUT_MS = 120_000;
const DRAIN_POLL_MS = 20;
/** Longer than any bench: what runs by the clock would be measured with what is measured. */
const NEVER_MS = '3600000';

/**
 * The ledger itself, in this process: its real use cases on a real database, which is empty. Its facts go to the
 * in-memory bus.
 */
export async function startLedger(
  mongodbUri: string,
  database: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  await drop(mongodbUri, database);
  return createService(LedgerModule, ledgerConfig, {
    PORT: '0',
    LOG_LEVEL: 'error',
    ACTOR_SECRET: randomBytes(32).toString('hex'),
    MONGODB_URI: mongodbUri,
    MONGODB_DATABASE: database,
    KAFKA_BROKERS: 'memory',
    SELF_CHECK_INTERVAL_MS: NEVER_MS,
    SELF_CHECK_SUM_INTERVAL_MS: NEVER_MS,
    REGENERATION_INTERVAL_MS: NEVER_MS,
    HOLD_TTL_SECONDS: '3600',
    ...env,
  });
}

/** Takes away what an earlier run has left in a database that outlives it. */
async function drop(mongodbUri: string, database: string): Promise<void> {
  const client = new mongoose.mongo.MongoClient(mongodbUri);
  try {
    await client.db(database).dropDatabase();
  } finally {
    await client.close();
  }
}

/** CPU seconds so far of the ledger, its clients and its database. The broker, which only idles beside, is left out. */
export function ledgerCpu(stack: Stack): Cpu {
  const notMeasured = notOurs(stack, 'mongodb');
  if (notMeasured) return () => () => notMeasured;
  const seconds = () => {
    const { kafka } = stack.pids;
    return cpuSecondsOfTree(process.pid) - (kafka === undefined ? 0 : cpuSecondsOfTree(kafka));
  };
  return () => {
    const before = seconds();
    return () => seconds() - before;
  };
}

/** Why what is measured is not of a `mongod`; undefined when it is. */
export async function notOnMongod({ app }: RunningService): Promise<NotMeasured | undefined> {
  const { connection } = app.get(Database, { strict: false });
  const { storageEngines } = (await connection.db!.admin().buildInfo()) as { storageEngines?: string[] };
  return storageEngines ? undefined : 'not measured: the database is no mongod';
}

/** What a ledger is asked, by name. */
export type Queries = Readonly<Record<string, () => Promise<unknown>>>;

/** A request of that user. */
export function contextOf(userId: Id<'usr'>): Context {
  const id = newId('req');
  return { actor: { kind: 'user', id: userId, role: 'user' }, correlationId: id, causationId: id };
}

const context = (): Context => {
  const id = newId('req');
  return { actor: { kind: 'service', id: 'bench' }, correlationId: id, causationId: id };
};

/** The ledger's writes, as its consumers and its routes cause them. */
export class Writes {
  private readonly postEntry: PostEntry;
  private readonly placeHold: PlaceHold;
  private readonly settleHold: SettleHold;
  private readonly outbox: Outbox;

  constructor({ app }: RunningService) {
    this.postEntry = app.get(PostEntry, { strict: false });
    this.placeHold = app.get(PlaceHold, { strict: false });
    this.settleHold = app.get(SettleHold, { strict: false });
    this.outbox = app.get(Outbox, { strict: false });
  }

  async grant(userId: Id<'usr'>, amount: number): Promise<void> {
    const causeId = newId('pay');
    await this.postEntry.execute(
      {
        causeId,
        sourceId: causeId,
        postings: [
          { account: 'platform:clearing', asset: 'credits', amount: -amount },
          { account: userAccount(userId), asset: 'credits', amount, type: 'earn_purchase' },
        ],
      },
      context(),
    );
  }

  /** One entry that takes credits of an account. */
  async spend(userId: Id<'usr'>): Promise<void> {
    await this.postEntry.execute(spending(userId, newId('job')), context());
  }

  /** The way that people spend: credits are set aside if they are there, then captured by an entry. Two transactions. */
  async holdAndCapture(userId: Id<'usr'>): Promise<void> {
    const holdId = await this.hold(userId);
    await this.settleHold.execute(
      { holdId, end: 'capture', entry: spending(userId, newId('job')) },
      context(),
    );
  }

  async hold(userId: Id<'usr'>): Promise<Id<'hld'>> {
    const holdId = newId('hld');
    await this.placeHold.execute(
      { holdId, userId, amount: 1, type: 'spend_enhancement', sourceId: newId('job') },
      context(),
    );
    return holdId;
  }

  /** Waits until the relay has carried every fact away, so that it does not work in somebody else's time. */
  async published(): Promise<void> {
    const deadline = Date.now() + DRAIN_TIMEOUT_MS;
    while (await this.outbox.rows.collection.findOne({})) {
      if (Date.now() > deadline) throw new Error('the outbox did not drain in time');
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
  }
}

const spending = (userId: Id<'usr'>, causeId: string): EntryDraft => ({
  causeId,
  sourceId: causeId,
  postings: [
    { account: userAccount(userId), asset: 'credits', amount: -1, type: 'spend_enhancement' },
    { account: 'platform:revenue', asset: 'credits', amount: 1 },
  ],
});
