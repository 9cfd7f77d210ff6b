import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ActorSigner } from '@atelier/auth';
import { newId, type Actor } from '@atelier/kernel';
import type { Database } from '@atelier/persistence';
import { aDatabaseName, infrastructure, openDatabase, type OpenDatabase } from '@atelier/testing';
import mongoose from 'mongoose';
import type { Asks } from './ledger-child.fixture.js';
import { startTripwire, type Tripwire } from './tripwire.fixture.js';

const CHILD = fileURLToPath(new URL('./ledger-child.fixture.ts', import.meta.url));
const FLAGS = ['--import', '@atelier/stack/typescript'];
const ACTOR_SECRET = 'a-secret-of-the-tests-that-signs-actors';
const REQUEST_TIMEOUT_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Nothing happens by itself: the test says when. Only the relay goes on, as in a real process. */
const BY_COMMAND = {
  HOLD_SWEEP_INTERVAL_MS: '600000',
  REGENERATION_INTERVAL_MS: '86400000',
  REGENERATION_PAUSE_MS: '0',
  SELF_CHECK_INTERVAL_MS: '86400000',
  VOUCHER_SWEEP_INTERVAL_MS: '3600000',
  PAYOUT_SWEEP_INTERVAL_MS: '600000',
  // What was killed leads the relay for so long.
  OUTBOX_LEASE_MS: '1000',
};

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // why: a test reads whatever the answer has; its assertions are the check.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** Its process was killed before it answered. What it did is in the database, or not. */
export class Killed extends Error {}

/**
 * A real ledger in a process of its own, to be killed with SIGKILL and started again on the same database. Its bus
 * is in memory and dies with it: what the broker would deliver again, the test publishes again.
 */
export class LedgerProcess {
  private readonly signer = new ActorSigner(ACTOR_SECRET, { issuer: 'gateway' });
  private readonly waiting = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>();
  private child: ChildProcess | undefined;
  private spare: ChildProcess | undefined;
  private asked = 0;
  private url = '';
  private time: string | undefined;
  private isReady = false;

  /** Killed so far. */
  kills = 0;

  private constructor(
    private readonly env: Record<string, string>,
    private readonly opened: OpenDatabase<void>,
    /** The only way from the ledger to its database. */
    readonly wire: Tripwire,
  ) {}

  static async create(env: Record<string, string> = {}): Promise<LedgerProcess> {
    const opened = await openDatabase({ database: 'ledger', name: aDatabaseName('ledger') }, () => undefined);
    const { hostname, port } = new URL(infrastructure().mongodbUri);
    const wire = await startTripwire({ host: hostname, port: Number(port) });
    const ledger = new LedgerProcess(env, opened, wire);
    await ledger.start();
    return ledger;
  }

  /** The ledger's database, past the ledger. */
  get database(): Database {
    return this.opened.database;
  }

  /** Also keeps a second process warm, so that the next start takes no longer than it must. */
  async start(): Promise<void> {
    this.child = this.spare ?? spawnChild();
    this.spare = spawnChild();
    this.child.on('message', ({ id, answer, error }: { id: number; answer: never; error?: string }) => {
      const asker = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) asker?.resolve(answer);
      else asker?.reject(new Error(error));
    });
    this.child.once('exit', () => {
      this.isReady = false;
      for (const { reject } of this.waiting.values()) reject(new Killed('the ledger was killed'));
      this.waiting.clear();
    });
    const mongodbUri = `mongodb://127.0.0.1:${this.wire.port}/?directConnection=true`;
    const place = { MONGODB_URI: mongodbUri, MONGODB_DATABASE: this.database.connection.name, ACTOR_SECRET };
    this.url = await this.send('start', { ...BY_COMMAND, ...place, ...this.env });
    this.isReady = true;
    if (this.time) await this.ask('setTime', this.time);
  }

  get isRunning(): boolean {
    return this.isReady;
  }

  /** Throws Killed when there is no ledger, or it dies before it has answered. */
  async ask<Name extends Exclude<keyof Asks, 'start'>>(
    ask: Name,
    ...input: Parameters<Asks[Name]>
  ): Promise<Awaited<ReturnType<Asks[Name]>>> {
    if (!this.isReady) throw new Killed('the ledger is not running');
    return this.send(ask, ...input);
  }

  private send<Name extends keyof Asks>(
    ask: Name,
    ...[input]: Parameters<Asks[Name]>
  ): Promise<Awaited<ReturnType<Asks[Name]>>> {
    return new Promise((resolve, reject) => {
      const id = ++this.asked;
      this.waiting.set(id, { resolve, reject });
      this.child!.send({ id, ask, input }, (error) => {
        if (!error || !this.waiting.delete(id)) return;
        reject(new Killed('the ledger was killed'));
      });
    });
  }

  /** Outlives a restart, as the time does. */
  async setTime(time: Date): Promise<void> {
    this.time = time.toISOString();
    await this.ask('setTime', this.time);
  }

  /** One request as the gateway would send it. Throws Killed when the connection breaks. */
  async request(
    actor: Actor,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const actorHeader = await this.signer.sign(actor);
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: {
          'x-atelier-actor': actorHeader,
          'x-request-id': newId('req'),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null };
    } catch (error) {
      if (error instanceof DOMException) throw error;
      throw new Killed('the connection broke', { cause: error });
    }
  }

  /**
   * SIGKILL: nothing is drained, closed or said. The transactions that it leaves open are ended, as the database
   * would do by itself when they are overdue; until then they keep what they have touched from everybody.
   */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    this.kills++;
    child.kill('SIGKILL');
    await once(child, 'exit');
    const sessions = this.wire.takeSessions().map((id) => ({ id: new mongoose.mongo.UUID(id) }));
    const endSessions = () => this.database.connection.db!.admin().command({ killSessions: sessions });
    await endSessions();
    // What was still under way may have begun another transaction.
    await this.wire.hangUp();
    await endSessions();
  }

  /** Lets the time pass after which the first request with a key counts as dead. */
  passIdempotencyLease(): Promise<void> {
    return this.leaseKeysUntil(new Date(0));
  }

  /** Keeps that time from passing, however long the next start takes. */
  keepIdempotencyLeases(): Promise<void> {
    return this.leaseKeysUntil(new Date(Date.now() + HOUR_MS));
  }

  private async leaseKeysUntil(leasedUntil: Date): Promise<void> {
    await this.database.connection.collection('_idempotency').updateMany({}, { $set: { leasedUntil } });
  }

  async stop(): Promise<void> {
    await this.kill();
    if (this.spare) {
      this.spare.kill('SIGKILL');
      await once(this.spare, 'exit');
    }
    await this.database.connection.dropDatabase();
    await this.opened.close();
    await this.wire.close();
  }
}

const spawnChild = (): ChildProcess =>
  spawn(process.execPath, [...FLAGS, CHILD], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
