import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMMANDS } from './commands/table.js';
import type { Context, Services } from './commands/command.js';
import { hello, LOCAL_COMMANDS } from './commands/session.js';
import { Connection } from './connection.js';
import { Cursors } from './cursors.js';
import { explainDuplicate } from './duplicate-key.js';
import { CommandError, DUPLICATE_KEY, toCommandError, UNREACHABLE, WRITE_CONFLICT } from './errors.js';
import { Maintenance, type MaintenanceOptions } from './maintenance.js';
import { acquire, Postgres, statementMs } from './postgres.js';
import { RetryLanes } from './retry-lanes.js';
import { Transactions } from './transactions.js';
import type { Reply, Request } from './wire.js';

/** Client connections that are served at once; further ones are closed at once. */
export const connectionsMax = 1_000;
/** How often a command outside a transaction is repeated after a conflict that a client would not understand. */
const conflictAttemptsMax = 16;
const conflictPauseMs = 5;

/** Where the adapter listens and what stands behind it. */
export interface AdapterOptions extends MaintenanceOptions {
  /** TCP port of 127.0.0.1 for MongoDB clients. */
  port: number;
  /** Port of the PostgreSQL with DocumentDB. */
  postgresPort: number;
}

/** Speaks MongoDB's protocol on one side and calls DocumentDB's functions on the other. */
export class Adapter {
  readonly #server: net.Server;
  readonly #connections = new Set<Connection>();
  readonly #services: Services;
  readonly #maintenance: Maintenance;
  readonly #retries = new RetryLanes();
  #lastConnection = 0;

  private constructor(options: AdapterOptions) {
    const postgres = new Postgres(options.postgresPort);
    this.#services = {
      postgres,
      transactions: new Transactions(postgres),
      cursors: new Cursors(postgres),
      address: `127.0.0.1:${options.port}`,
      startedAt: Date.now(),
      connectionCount: () => this.#connections.size,
    };
    this.#maintenance = new Maintenance(this.#services, options);
    this.#server = net.createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = connectionsMax;
  }

  /** Listens; rejects when the port is taken. */
  static async start(options: AdapterOptions): Promise<Adapter> {
    const adapter = new Adapter(options);
    await new Promise<void>((resolve, reject) => {
      adapter.#server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
    }).catch(async (error: unknown) => {
      await adapter.stop();
      throw error;
    });
    return adapter;
  }

  get uri(): string {
    return `mongodb://${this.#services.address}/?replicaSet=rs0`;
  }

  /** Closes clients, aborts open transactions and gives all connections back. */
  async stop(): Promise<void> {
    this.#maintenance.stop();
    for (const connection of this.#connections) connection.close();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
    await this.#services.transactions.close();
    await this.#services.postgres.close();
  }

  #accept(socket: net.Socket): void {
    const id = (this.#lastConnection += 1);
    const connection = new Connection(socket, (request) => this.#answer(request, id));
    this.#connections.add(connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      void this.#services.transactions.abortOf(id);
    });
  }

  async #answer(request: Request, connectionId: number): Promise<Reply> {
    try {
      return await this.#dispatch(request, connectionId);
    } catch (error) {
      const reply = labelled(toCommandError(error), request).toReply();
      if (reply.code !== DUPLICATE_KEY) return reply;
      const { general } = this.#services.postgres;
      return { ...reply, ...(await explainDuplicate(general, request.head, reply.errmsg).catch(() => ({}))) };
    }
  }

  async #dispatch({ head, raw, sequence }: Request, connectionId: number): Promise<Reply> {
    const services = this.#services;
    const { transactions, postgres } = services;
    const { name } = head;
    if (name === 'hello' || name === 'isMaster' || name === 'ismaster') return hello(services, connectionId);
    const local = LOCAL_COMMANDS[name];
    if (local) return local(services, raw, head);
    if (name === 'commitTransaction') {
      await transactions.commit(head);
      return { ok: 1 };
    }
    if (name === 'abortTransaction') {
      await transactions.abortCommand(head);
      return { ok: 1 };
    }
    const command = COMMANDS[name];
    if (!command) throw new CommandError(59, 'CommandNotFound', `no such command: '${name}'`);
    const given = { head, raw, sequence, services };
    if (head.inTransaction) {
      const transaction = await transactions.enter(head, connectionId);
      return transactions.run(transaction, (client) => command({ ...given, client, transaction }));
    }
    await transactions.supersede(head);
    const run = async (): Promise<Reply> => {
      const client = await acquire(postgres.general);
      let broken: Error | undefined;
      try {
        return await withTimeLimit({ ...given, client }, command);
      } catch (error) {
        const failure = toCommandError(error);
        if (failure.code === UNREACHABLE) broken = failure;
        throw failure;
      } finally {
        client.release(broken);
      }
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await (attempt === 1 ? run() : this.#retries.pass(`${head.db}.${head.collection}`, run));
      } catch (error) {
        if ((error as CommandError).code !== WRITE_CONFLICT || attempt === conflictAttemptsMax) throw error;
      }
      await sleep(Math.random() * conflictPauseMs * attempt);
    }
  }
}

/** Applies the client's `maxTimeMS` for the time of one command. */
async function withTimeLimit(
  context: Context,
  command: (context: Context) => Promise<Reply>,
): Promise<Reply> {
  const { client, head } = context;
  if (!head.maxTimeMs || head.name === 'getMore') return command(context);
  await client.query(`SET statement_timeout = ${Math.trunc(head.maxTimeMs)}`);
  try {
    return await command(context);
  } finally {
    await client.query(`SET statement_timeout = ${statementMs}`);
  }
}

/** A write that a lost connection may or may not have done is safe to repeat when it carries its number. */
function labelled(failure: CommandError, { head }: Request): CommandError {
  const retryable = failure.code === UNREACHABLE && head.txnNumber !== undefined && !head.inTransaction;
  return retryable ? failure.withLabel('RetryableWriteError') : failure;
}
