import { randomUUID } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import net from 'node:net';
import { BSON, MongoClient, type Db, type Document } from 'mongodb';
import pg from 'pg';
import { connection } from '../cluster.js';
import { removeCluster, startDocumentDb, type Instance } from '../instance.js';

/** A real MongoDB to hold the suite against, e.g. `mongodb://127.0.0.1:27017/?replicaSet=rs0`. */
export const realMongoDb = process.env.CONFORMANCE_MONGODB_URI;

/** Short enough that the TTL promise is seen within a test. */
const sweepMs = 500;

/** A server of the suite's own, and a database in it that nobody else uses. */
export interface Fixture {
  uri: string;
  client: MongoClient;
  db: Db;
  instance?: Instance;
  /** Has PostgreSQL tidy up and count now what its planner goes by; it does so by itself within a minute. */
  gatherStatistics(): Promise<void>;
  end(): Promise<void>;
}

/** Starts a throwaway instance on free ports, or connects to the real MongoDB when one is given. */
export async function startFixture(): Promise<Fixture> {
  const dataDir = path.join(os.tmpdir(), `documentdb-conformance-${randomUUID()}`);
  const instance = realMongoDb ? undefined : await startDocumentDb({ dataDir, fsync: false, sweepMs });
  const uri = realMongoDb ?? (instance as Instance).uri;
  const client = await new MongoClient(uri).connect();
  const db = client.db(`conformance_${randomUUID().slice(0, 8)}`);
  const end = async () => {
    await db.dropDatabase();
    await client.close();
    await instance?.stop();
    removeCluster(dataDir);
  };
  const gatherStatistics = async () => {
    if (!instance) return;
    const postgres = new pg.Client(connection(instance.cluster.port));
    await postgres.connect();
    await postgres.query('VACUUM ANALYZE');
    await postgres.end();
  };
  return { uri, client, db, instance, gatherStatistics, end };
}

let collections = 0;

/** A collection name that no other test of this run uses. */
export const freshName = () => `c${(collections += 1)}`;

/** The error that `work` throws; fails when it throws none. */
export async function failureOf(work: () => Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await work();
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('no error was thrown');
}

/** Polls until `check` holds; fails after the limit. */
export async function eventually(check: () => Promise<boolean>, limitMs = 20_000): Promise<void> {
  for (const end = Date.now() + limitMs; Date.now() < end;) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not so within ${limitMs} ms`);
}

/** A client without a driver between: it sends the bytes that a test wants, and its own session ids. */
export class RawClient {
  #received = Buffer.alloc(0);
  #waiting?: () => void;
  closed = false;

  private constructor(readonly socket: net.Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#waiting?.();
    });
    const end = () => {
      this.closed = true;
      this.#waiting?.();
    };
    socket.on('close', end).on('error', end);
  }

  static async connect(uri: string): Promise<RawClient> {
    const { hostname, port } = new URL(uri.replace('mongodb:', 'http:'));
    const socket = net.connect(Number(port), hostname);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  /** An OP_MSG of a command and, in a section of its own, a sequence of documents. */
  static message(command: Document, flags = 0, sequence?: { name: string; documents: Document[] }): Buffer {
    const sections = [Buffer.from([0]), Buffer.from(BSON.serialize(command))];
    if (sequence) {
      const body = [
        Buffer.from(`${sequence.name}\0`),
        ...sequence.documents.map((one) => BSON.serialize(one)),
      ];
      const size = Buffer.alloc(4);
      size.writeInt32LE(4 + body.reduce((sum, { length }) => sum + length, 0));
      sections.push(Buffer.from([1]), size, ...body.map((part) => Buffer.from(part)));
    }
    if (flags & 1) sections.push(Buffer.alloc(4));
    const header = Buffer.alloc(20);
    header.writeInt32LE(20 + sections.reduce((sum, { length }) => sum + length, 0), 0);
    header.writeInt32LE(77, 4);
    header.writeInt32LE(2013, 12);
    header.writeUInt32LE(flags, 16);
    return Buffer.concat([header, ...sections]);
  }

  async command(command: Document): Promise<Document> {
    this.socket.write(RawClient.message(command));
    return (await this.reply()).document;
  }

  /** The next reply; rejects when the server closes the connection instead. */
  async reply(): Promise<{ document: Document; flags: number }> {
    while (this.#received.length < 4 || this.#received.length < this.#received.readInt32LE(0)) {
      if (this.closed) throw new Error('the server closed the connection');
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
    const message = this.#received.subarray(0, this.#received.readInt32LE(0));
    this.#received = this.#received.subarray(message.length);
    return { document: BSON.deserialize(message.subarray(21)), flags: message.readUInt32LE(16) };
  }
}
