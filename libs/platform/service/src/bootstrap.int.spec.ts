import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ACTOR_HEADER, ActorSigner } from '@atelier/auth';

const ACTOR_SECRET = 'a-secret-of-at-least-thirty-two-bytes!';
const FIXTURE = fileURLToPath(new URL('./bootstrap.fixture.ts', import.meta.url));
/** Where the TypeScript loader finds the tsconfig. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const LOADERS = ['@atelier/stack/typescript', '@atelier/observability/register'];

interface Running {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  output(): string;
  /** Resolves with the first match in what the process writes; rejects when it ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

function start(env: Record<string, string>): Running {
  const child = spawn(process.execPath, [...LOADERS.flatMap((loader) => ['--import', loader]), FIXTURE], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, PORT: '0', ACTOR_SECRET, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const says = async (pattern: RegExp) => {
    for (;;) {
      const match = pattern.exec(text);
      if (match) return match;
      const ended = await Promise.race([exit.then(() => true), once(child.stdout, 'data').then(() => false)]);
      if (ended && !pattern.test(text)) throw new Error(`ended without ${pattern}:\n${text}`);
    }
  };
  return { child, exit, output: () => text, says };
}

const listening = /"url":"([^"]+)","msg":"listening"/;

async function get(url: string): Promise<number> {
  const actor = await new ActorSigner(ACTOR_SECRET).sign({ kind: 'anonymous', id: 'anonymous' });
  return (await fetch(url, { headers: { [ACTOR_HEADER]: actor } })).status;
}

describe('bootstrap, as a process', () => {
  it('stops stage by stage on SIGTERM and exits with 0', async () => {
    const service = start({});
    const [, url] = await service.says(listening);
    expect(await get(`${url}/api/v1/fixture`)).toBe(200);
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(0);
    expect(service.output()).toMatch(/relay stopped\ndatabase stopping\ndatabase stopped\n/);
  });

  it('exits at once on a second signal', async () => {
    const service = start({ HANG: '1' });
    await service.says(listening);
    service.child.kill('SIGINT');
    await service.says(/database stopping/);
    service.child.kill('SIGINT');
    expect(await service.exit).toBe(130);
  });

  it('does not start with a bad environment: exits with 1 and names every problem, and no secret', async () => {
    const service = start({ ACTOR_SECRET: 'hunter2', PORT: 'http' });
    expect(await service.exit).toBe(1);
    expect(service.output()).toMatch(/fixture cannot start.*2 problem/);
    expect(service.output()).toMatch(
      /PORT is invalid[^]*ACTOR_SECRET is invalid|ACTOR_SECRET is invalid[^]*PORT is invalid/,
    );
    expect(service.output()).not.toContain('hunter2');
  });

  it('exits with 1 and a logged stack after an error that nobody caught', async () => {
    const service = start({});
    const [, url] = await service.says(listening);
    await get(`${url}/api/v1/fixture/throw`).catch(() => undefined);
    expect(await service.exit).toBe(1);
    expect(service.output()).toMatch(/"level":60.*nobody caught this.*bootstrap\.fixture/);
  });

  it('says its last words in the format that it was told, too', async () => {
    const service = start({ LOG_FORMAT: 'pretty' });
    const [, url] = await service.says(/listening .*url=(\S+)/);
    await get(`${url}/api/v1/fixture/throw`).catch(() => undefined);
    expect(await service.exit).toBe(1);
    expect(service.output()).toMatch(/ fatal fixture uncaughtException .*\n\s+Error: nobody caught this/);
  });

  it('traces requests when an exporter is named, and sends the last spans before it exits', async () => {
    const service = start({ OTEL_TRACES_EXPORTER: 'console', OTEL_SERVICE_NAME: 'fixture' });
    const [, url] = await service.says(listening);
    expect(await get(`${url}/api/v1/fixture`)).toBe(200);
    service.child.kill('SIGTERM');
    expect(await service.exit).toBe(0);
    const ids = [...service.output().matchAll(/traceId: '([0-9a-f]{32})'[^]*?name: '([^']+)'/g)];
    const own = ids.find(([, , name]) => name === 'fixture.read');
    expect(own).toBeDefined();
    expect(ids.filter(([, id, name]) => id === own?.[1] && name !== 'fixture.read')).not.toHaveLength(0);
  });
});
