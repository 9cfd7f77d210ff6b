import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A command that was stopped on its way to the database. Its connection waits until one of these is called. */
export interface Caught {
  /** Lets it go on, as if it had only been slow. */
  letGo(): void;
  /** Lets the database do it, and resolves when it has; its answer never arrives. */
  letGoUnanswered(): Promise<void>;
}

export interface Tripwire {
  readonly port: number;
  /** The ids of the sessions that came by since the last call. */
  takeSessions(): Uint8Array[];
  /** Resolves with the next command whose bytes match. */
  catchNext(matches: (bytes: Buffer) => boolean): Promise<Caught>;
  /** Ends all connections; resolves when the database has done what it was told on them. */
  hangUp(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The commit of the next transaction that writes to this collection, and of no other; or the next update there that
 * is in no transaction, and commits itself.
 */
export function isCommitOf(collection: string): (bytes: Buffer) => boolean {
  const writers = new Set<string>();
  const update = commandOn('update', collection);
  return (bytes) => {
    const session = sessionOf(bytes);
    if (!session) return false;
    if (bytes.includes('commitTransaction')) return writers.has(session);
    if (bytes.includes(update) && !bytes.includes('autocommit')) return true;
    if (bytes.includes(`\0${collection}\0`) && bytes.includes('autocommit')) writers.add(session);
    return false;
  };
}
/** `{ update: 'collection' }` in BSON. */
function commandOn(command: string, collection: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32LE(Buffer.byteLength(collection) + 1);
  return Buffer.concat([Buffer.from(`${command}\0`), length, Buffer.from(`${collection}\0`)]);
}

/** The write that keeps the answer of an idempotent request for its repeats. */
export const isKeptAnswer = (bytes: Buffer): boolean =>
  bytes.includes('_idempotency') && bytes.includes('$set') && bytes.includes('headers');

/** `lsid: { id: <UUID> }` in BSON, up to its 16 bytes. */
const SESSION = Buffer.from('\x03lsid\0\x1e\0\0\0\x05id\0\x10\0\0\0\x04', 'latin1');
const SESSION_BYTES = 16;
function sessionOf(bytes: Buffer): string | undefined {
  const at = bytes.indexOf(SESSION);
  if (at < 0) return undefined;
  return bytes.subarray(at + SESSION.length, at + SESSION.length + SESSION_BYTES).toString('hex');
}

/** A way to the database on which a test stops one certain command, so that a fault falls on a named point. */
export async function startTripwire(target: {
  readonly host: string;
  readonly port: number;
}): Promise<Tripwire> {
  const sockets = new Set<Socket>();
  const sessions = new Set<string>();
  /** Connections on which there are commands, and not only the driver's look at the server. */
  const busy = new Map<Socket, Promise<unknown>>();
  let wire: { matches(bytes: Buffer): boolean; caught(command: Caught): void } | undefined;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // The other side hears of it by the close.
    return socket.on('error', () => undefined);
  };
  const server = createServer((client) => {
    track(client);
    const upstream = track(connect(target));
    let unanswered: (() => void) | undefined;
    const closed = new Promise<unknown>((resolve) => upstream.once('close', resolve));
    client.on('data', (bytes: Buffer) => {
      const session = sessionOf(bytes);
      if (session) {
        sessions.add(session);
        busy.set(client, closed);
      }
      const tripped = wire?.matches(bytes) ? wire : undefined;
      if (!tripped) return void upstream.write(bytes);
      wire = undefined;
      client.pause();
      const letGo = (): void => {
        upstream.write(bytes);
        client.resume();
      };
      const letGoUnanswered = () =>
        new Promise<void>((resolve) => {
          unanswered = resolve;
          letGo();
        });
      tripped.caught({ letGo, letGoUnanswered });
    });
    upstream.on('data', (bytes: Buffer) => (unanswered ? unanswered() : client.write(bytes)));
    client.once('close', () => upstream.end());
    upstream.once('close', () => {
      client.destroy();
      busy.delete(client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    takeSessions: () => {
      const taken = [...sessions].map((id) => Buffer.from(id, 'hex'));
      sessions.clear();
      return taken;
    },
    catchNext: (matches) => new Promise((caught) => (wire = { matches, caught })),
    hangUp: async () => {
      for (const client of busy.keys()) client.destroy();
      await Promise.all(busy.values());
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
