import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

const listening = '0A';

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

/** Ports that were free a moment ago; all are held open together, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(
        (server) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject);
            server.listen(0, '127.0.0.1', () => {
              const address = server.address();
              if (typeof address === 'object' && address) resolve(address.port);
            });
          }),
      ),
    );
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
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
