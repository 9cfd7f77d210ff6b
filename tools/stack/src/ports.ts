import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';

const listening = '0A';
const OWN_PORTS_FROM = 10_000;
const TRIES_PER_PORT_MAX = 10;

/** A port's owner as far as /proc tells it; of another user's process only the user. */
export interface PortOwner {
  port: number;
  /** By name, or the number of one without a name here. */
  user: string;
  pid?: number;
  command?: string;
}

/** Answers, for each port that somebody listens on, who that is. */
export function portOwners(ports: readonly number[]): PortOwner[] {
  const sockets = listeners(new Set(ports));
  if (sockets.size === 0) return [];
  const pids = pidsOf(new Set(sockets.keys()));
  const owners = new Map<number, PortOwner>();
  for (const [inode, { port, uid }] of sockets) {
    const pid = pids.get(inode);
    if (!owners.get(port)?.pid)
      owners.set(port, { port, user: userNamed(uid), ...(pid && { pid, command: commandOf(pid) }) });
  }
  return [...owners.values()].sort((a, b) => a.port - b.port);
}

/** One line per busy port, for a person. */
export function describeOwner({ port, user, pid, command }: PortOwner): string {
  return pid
    ? `port ${port} is taken by process ${pid} (${command})`
    : `port ${port} is taken by a process of user ${user}`;
}

/**
 * Ports that were free a moment ago, all different. None of those that the system hands out by itself: such a one may
 * be somebody's connection before it is used here.
 */
export async function freePorts(count: number): Promise<number[]> {
  const handedOutFrom = Number.parseInt(linesOf('/proc/sys/net/ipv4/ip_local_port_range')[0] ?? '', 10);
  const servers: Server[] = [];
  try {
    for (let tried = 0; servers.length < count; tried++) {
      // Also where the system hands out all ports.
      const isOurs = handedOutFrom > OWN_PORTS_FROM && tried < count * TRIES_PER_PORT_MAX;
      const server = await listen(isOurs ? randomInt(OWN_PORTS_FROM, handedOutFrom) : 0);
      if (server) servers.push(server);
    }
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** Undefined where somebody listens already. Throws when the system has no port at all. */
function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (port === 0 ? reject(error) : resolve(undefined)));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** By inode. */
function listeners(ports: ReadonlySet<number>): Map<string, { port: number; uid: string }> {
  const found = new Map<string, { port: number; uid: string }>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of linesOf(table).slice(1)) {
      const [, local = '', , state, , , , uid = '', , inode = ''] = line.trim().split(/\s+/);
      const port = Number.parseInt(local.split(':')[1] ?? '', 16);
      if (state === listening && ports.has(port)) found.set(inode, { port, uid });
    }
  }
  return found;
}

function pidsOf(inodes: ReadonlySet<string>): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    // Other users' processes, and those that end meanwhile, cannot be read.
    const descriptors = attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
    for (const descriptor of descriptors) {
      const link = attempt(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? '';
      const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
      if (inode && inodes.has(inode)) found.set(inode, Number(pid));
    }
  }
  return found;
}

const userNamed = (uid: string): string =>
  linesOf('/etc/passwd')
    .map((line) => line.split(':'))
    .find((fields) => fields[2] === uid)?.[0] ?? uid;

function commandOf(pid: number): string {
  const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
  return words.split('\0').join(' ').trim().slice(0, 120);
}

const linesOf = (file: string): string[] =>
  (attempt(() => readFileSync(file, 'utf8')) ?? '').trim().split('\n');

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
