import { Long, ObjectId, type Binary, type Document } from 'bson';
import { cursorKey, sessionKey, type Head } from '../head.js';
import { decode, documentBytesMax, messageBytesMax, writeBatchMax } from '../wire.js';
import type { Services } from './command.js';

/** Sessions without a command for this long are forgotten by clients. */
export const sessionMinutes = 30;

/** MongoDB 7.0's wire version: the newest whose commands the engine knows. */
const wireVersion = 21;
const version = '7.0.0';

/** One process, one topology that never changes. */
const topologyVersion = { processId: new ObjectId(), counter: Long.ZERO };
const electionId = new ObjectId('7fffffff0000000000000001');

/** The answer to hello: the primary of a replica set of one, because only those offer transactions. */
export function hello(services: Services, connectionId: number): Document {
  const { address } = services;
  return {
    helloOk: true,
    isWritablePrimary: true,
    ismaster: true,
    secondary: false,
    setName: 'rs0',
    setVersion: 1,
    hosts: [address],
    me: address,
    primary: address,
    electionId,
    topologyVersion,
    maxBsonObjectSize: documentBytesMax,
    maxMessageSizeBytes: messageBytesMax,
    maxWriteBatchSize: writeBatchMax,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: sessionMinutes,
    connectionId,
    minWireVersion: 0,
    maxWireVersion: wireVersion,
    readOnly: false,
    ok: 1,
  };
}

/** A command that needs no PostgreSQL connection of its own. */
export type LocalCommand = (services: Services, raw: Buffer, head: Head) => Promise<Document> | Document;

const ok: LocalCommand = () => ({ ok: 1 });

const buildInfo: LocalCommand = () => ({
  version,
  versionArray: [...version.split('.').map(Number), 0],
  gitVersion: 'documentdb',
  modules: [],
  bits: 64,
  maxBsonObjectSize: documentBytesMax,
  ok: 1,
});

const serverStatus: LocalCommand = ({ cursors, transactions, startedAt, address, connectionCount }) => ({
  host: address,
  version,
  process: 'documentdb',
  pid: process.pid,
  uptime: (Date.now() - startedAt) / 1000,
  localTime: new Date(),
  connections: { current: connectionCount() },
  metrics: { cursor: { open: { total: cursors.count } } },
  transactions: { currentOpen: transactions.openCount },
  storageEngine: { name: 'documentdb', persistent: true },
  ok: 1,
});

const killCursors: LocalCommand = async ({ cursors }, raw) => {
  const asked: unknown[] = decode(raw).cursors ?? [];
  const killed = new Set(await cursors.kill(asked.map(cursorKey)));
  const cursorsKilled = asked.filter((id) => killed.has(cursorKey(id)));
  const cursorsNotFound = asked.filter((id) => !killed.has(cursorKey(id)));
  return { cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [], ok: 1 };
};

const endSessions: LocalCommand = async ({ transactions }, raw, { name }) => {
  const sessions: { id: Binary }[] = decode(raw)[name] ?? [];
  await transactions.endSessions(sessions.map(({ id }) => sessionKey(id)));
  return { ok: 1 };
};

/** The commands that are answered from this process, by name. */
export const LOCAL_COMMANDS: Readonly<Record<string, LocalCommand>> = {
  ping: ok,
  refreshSessions: ok,
  endSessions,
  killSessions: endSessions,
  killCursors,
  serverStatus,
  buildInfo,
  buildinfo: buildInfo,
  connectionStatus: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] }, ok: 1 }),
  getParameter: () => ({ featureCompatibilityVersion: { version: version.slice(0, 3) }, ok: 1 }),
};
