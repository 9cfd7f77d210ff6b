import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { startApp } from './app-process.js';
import { readSecrets, readSetup } from './checkout.js';
import { dropDatabases } from './database.js';
import { startInfrastructure, type Infrastructure } from './infrastructure.js';
import { freePorts } from './ports.js';
import { askReadiness, untilReady } from './readiness.js';
import {
  apps,
  databaseOf,
  environmentOf,
  infrastructurePorts,
  selectApps,
  urlsOf,
  type AppName,
  type Wiring,
} from './stack.js';
import { Supervised, type Running } from './supervised.js';

export { removeData } from './database.js';

/** Eight processes on two busy cores need about 10 s; the rest is for slow machines. */
const readyMsMax = 120_000;
/** An app that was never ready and ends again and again lacks something that waiting does not bring. */
const startRestartsMax = 3;
const logLinesMax = 2_000;
const tailLines = 12;
const runBytes = 4;

export interface StackOptions {
  /** `free` for a stack beside others (tests), `own` for the topology's ports. */
  ports: 'free' | 'own';
  dataDir: string;
  /** Only these apps; all without it. */
  only?: readonly string[];
  /** Off only for throwaway data. */
  fsync?: boolean;
  /** Kafka and database that already run; the stack then neither starts nor stops them. */
  infrastructure?: Pick<Infrastructure, 'mongodbUri' | 'kafkaBrokers'>;
  onLog?: (app: string, line: string) => void;
  onPicture?: (waiting: ReadonlyMap<string, string>) => void;
  /** Told when a child died and is started again. */
  say?: (text: string) => void;
  /** Called when Kafka and the database serve, before the first app starts. */
  onInfrastructure?: (infrastructure: Infrastructure) => Promise<void> | void;
  /** Ends the waiting for what starts; what was started is stopped in order. */
  signal?: AbortSignal;
}

/** A running stack, and the handles with which tests hurt it. */
export interface Stack {
  readonly gatewayUrl: string;
  readonly urls: Readonly<Record<AppName, string>>;
  readonly mongodbUri: string;
  readonly kafkaBrokers: string;
  /** The name of an app's database. */
  databaseOf(app: AppName): string;
  /** By name, also `kafka` and `mongodb`; a child that is down right now is missing. */
  readonly pids: Readonly<Record<string, number>>;
  /** The last lines of one app, oldest first. */
  logs(app: string): readonly string[];
  /** kill -9. The supervision starts it again after its pause, as it does after any crash. */
  kill(app: string): Promise<void>;
  /** Brings an app back now, without the rest of the pause, and waits until it is ready. */
  restart(app: string): Promise<void>;
  killKafka(): Promise<void>;
  restartKafka(): Promise<void>;
  killDatabase(): Promise<void>;
  restartDatabase(): Promise<void>;
  /** Gateway, then the other apps, then Kafka and the database; each wait is bounded. */
  stop(): Promise<void>;
}

/**
 * Starts Kafka, the database and the apps, and resolves when every app is ready.
 * @throws Error that says who was not ready and why; nothing is left running then.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const say = options.say ?? (() => undefined);
  const selected = selectApps(options.only);
  const dataDir = options.dataDir;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const secrets = readSecrets();
  const chosen = options.ports === 'free' ? await freePorts(apps.length + 3) : undefined;
  const urls = urlsOf(chosen && new Map(apps.map(({ name }, index) => [name, chosen[index]!])));
  const [kafka = 0, kafkaController = 0, mongodb = 0] = chosen?.slice(apps.length) ?? [];
  const own = options.infrastructure
    ? undefined
    : await startInfrastructure({
        setup: readSetup(),
        dataDir,
        ports: chosen ? { kafka, kafkaController, mongodb } : infrastructurePorts,
        fsync: options.fsync ?? true,
        say,
      });
  const { mongodbUri, kafkaBrokers } = own ?? options.infrastructure!;
  // A stack beside others has databases of its own on a MongoDB that is somebody's.
  const isGuest = options.ports === 'free' && !own?.database;
  const run = isGuest ? randomBytes(runBytes).toString('hex') : undefined;
  const wiring: Wiring = { mongodbUri, kafkaBrokers, secrets, dataDir, urls, ...(run && { run }) };

  const logs = new Map<string, string[]>();
  const running = new Map<string, Supervised<Running>>();
  for (const app of selected) {
    const lines: string[] = [];
    logs.set(app.name, lines);
    const onLine = (line: string) => {
      lines.push(line);
      if (lines.length > logLinesMax) lines.shift();
      options.onLog?.(app.name, line);
    };
    running.set(
      app.name,
      new Supervised(app.name, () => startApp(app, environmentOf(app, wiring), onLine), say),
    );
  }

  try {
    if (own) await options.onInfrastructure?.(own);
    await Promise.all([...running.values()].map((app) => app.start()));
    const watched = [...running].map(([name, app]) => ({
      name,
      url: urls[name as AppName],
      isGivenUp: () => app.givenUp || app.restarts > startRestartsMax,
    }));
    await untilReady(watched, readyMsMax, options.onPicture ?? (() => undefined), options.signal);
  } catch (error) {
    const tails = await notReadyTails();
    await stop();
    throw tails ? new Error(`${error instanceof Error ? error.message : String(error)}\n${tails}`) : error;
  }

  return {
    gatewayUrl: urls.gateway,
    urls,
    mongodbUri,
    kafkaBrokers,
    databaseOf: (app) => databaseOf(app, wiring),
    get pids() {
      const live: Record<string, number> = { ...own?.pids };
      for (const [name, app] of running) if (app.running) live[name] = app.running.pid;
      return live;
    },
    logs: (app) => logs.get(app) ?? [],
    kill: (app) => named(app).kill(),
    async restart(app) {
      await named(app).revive();
      const one = { name: app, url: urls[app as AppName], isGivenUp: () => named(app).givenUp };
      await untilReady([one], readyMsMax, () => undefined);
    },
    killKafka: async () => started(own?.kafka, 'Kafka').kill(),
    restartKafka: async () => started(own?.kafka, 'Kafka').revive(),
    killDatabase: async () => started(own?.database, 'the database').kill(),
    restartDatabase: async () => started(own?.database, 'the database').revive(),
    stop,
  };

  function named(app: string): Supervised<Running> {
    return started(running.get(app), app);
  }

  async function stop(): Promise<void> {
    await running.get('gateway')?.stop();
    await Promise.all([...running.values()].map((app) => app.stop()));
    try {
      if (run)
        await dropDatabases(
          mongodbUri,
          selected.map(({ name }) => databaseOf(name, wiring)),
        );
    } finally {
      await own?.stop();
    }
  }

  /** The end of the log of each app that is not ready: the reason usually stands there. */
  async function notReadyTails(): Promise<string> {
    const tails = await Promise.all(
      [...running].map(async ([name]) => {
        const lines = logs.get(name)?.slice(-tailLines) ?? [];
        if (lines.length === 0 || (await askReadiness(urls[name as AppName])).ready) return '';
        return `--- ${name}\n${lines.join('\n')}`;
      }),
    );
    return tails.filter(Boolean).join('\n');
  }
}

function started<T>(part: T | undefined, name: string): T {
  if (!part) throw new Error(`${name} was not started by this stack`);
  return part;
}
