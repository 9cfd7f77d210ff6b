import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService } from '@atelier/service';
import type { Stack } from '@atelier/stack';
import { Seen, startTicking, Ticker } from './outbox-stage.js';
import { cpuSecondsOfTree, ownCpuSeconds } from './processes.js';
import { perCpuSecond, type Aim, type Figure, type Report } from './report.js';
import { Rounds } from './rounds.js';
import { notOurs, onStage } from './stage.js';

const ROUNDS = 5;
const SECONDS = 4;
const RATES = [100, 1000] as const;
const DRAIN_EVENTS = 20_000;
const EVENTS_PER_COMMIT = 10;
/** Large, so that the backlog stands before the supervision has brought the broker back. */
const DRAIN_EVENTS_PER_COMMIT = 1_000;

/** From commit to visible on the topic, at a steady rate; and how fast a backlog drains. */
export function benchOutbox(): Promise<Report> {
  return onStage({ only: [] }, async (stack) => {
    if (notOurs(stack, 'kafka'))
      throw new Error('This bench kills its broker: run it without KAFKA_BROKERS.');
    const service = await startTicking(stack);
    const measured = new Rounds();
    try {
      const seen = new Seen();
      await seen.watch(service);
      await warmUp(service, seen);
      for (let round = 0; round < ROUNDS; round++)
        for (const rate of RATES) measured.add(...(await steady(service, stack, seen, rate)));
      // Afterwards, because a broker that was just started is slow.
      for (let round = 0; round < ROUNDS; round++) measured.add(...(await drain(service, stack, seen)));
    } finally {
      await service.close();
    }
    return {
      bench: 'outbox',
      what:
        'From the commit of a fact to its being read from its topic; one service that commits, relays and reads, real ' +
        `Kafka and database. Medians of ${ROUNDS} rounds (least–most). CPU of the service alone, and of all: broker and database too.`,
      rows: measured.rows(),
      rounds: measured.raw(),
      aims: aims(measured),
    };
  });
}

const ofRate = (rate: number) => ({ what: `${rate} events/s wanted` });
const OF_DRAIN = { what: 'a backlog drains, once the broker is back' };

const aims = (measured: Rounds): Aim[] => [
  ...RATES.flatMap((rate) => [
    measured.aim(ofRate(rate), 'p50 ms', { measure: `p50_at_${rate}`, unit: 'ms', wanted: { atMost: 55 } }),
    measured.aim(ofRate(rate), 'p99 ms', { measure: `p99_at_${rate}`, unit: 'ms', wanted: { atMost: 250 } }),
  ]),
  ...(['service', 'all'] as const).map((whose) =>
    measured.aim(OF_DRAIN, `per CPU second of ${whose}`, {
      measure: `drain_per_core_of_${whose}`,
      ...{ unit: '/s', wanted: { atLeast: 10_000 } },
    }),
  ),
];

type Measured = Parameters<Rounds['add']>;

/** Not counted: a service and a broker that have just begun compile what they run. */
async function warmUp(service: RunningService, seen: Seen): Promise<void> {
  seen.begin();
  await seen.arrived(await steadily(service, Math.max(...RATES)));
}

async function steady(service: RunningService, stack: Stack, seen: Seen, rate: number): Promise<Measured> {
  seen.begin();
  const spent = cpu(stack);
  const sent = await steadily(service, rate);
  await seen.arrived(sent);
  const { ofService, ofAll } = spent();
  return [
    ofRate(rate),
    {
      'p50 ms': seen.latencyMs(0.5),
      'p99 ms': seen.latencyMs(0.99),
      'per CPU second of service': sent / ofService,
      'per CPU second of all': perCpuSecond(sent, ofAll),
    },
  ];
}

/** Commits at that rate. Answers how many facts that were. */
async function steadily(service: RunningService, rate: number): Promise<number> {
  const ticker = service.app.get(Ticker);
  const perCommit = rate >= 1000 ? EVENTS_PER_COMMIT : 1;
  const pauseMs = (1000 * perCommit) / rate;
  const started = performance.now();
  const commits: Promise<void>[] = [];
  for (let i = 0; i < (rate * SECONDS) / perCommit; i++) {
    const waitMs = started + i * pauseMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    commits.push(ticker.commit(perCommit));
  }
  await Promise.all(commits);
  return commits.length * perCommit;
}

/** Commits a backlog while the broker is down, brings it back, and times how fast the facts get out. */
async function drain(service: RunningService, stack: Stack, seen: Seen): Promise<Measured> {
  seen.begin();
  await stack.killKafka();
  const ticker = service.app.get(Ticker);
  for (let i = 0; i < DRAIN_EVENTS / DRAIN_EVENTS_PER_COMMIT; i++)
    await ticker.commit(DRAIN_EVENTS_PER_COMMIT);
  if (seen.count > 0)
    throw new Error('the broker was back before the backlog stood: run it on a quieter machine');
  // From before the broker is back: the relay has published much before the consumer has found its group again.
  const spent = cpu(stack);
  await stack.restartKafka();
  const from = performance.now();
  // What the broker has used by now, it used to start.
  const starting = cpuSecondsOfTree(stack.pids['kafka']!);
  await seen.arrived(DRAIN_EVENTS);
  const { ofService, ofAll } = spent();
  return [
    OF_DRAIN,
    {
      'per second': DRAIN_EVENTS / ((performance.now() - from) / 1000),
      'per CPU second of service': DRAIN_EVENTS / ofService,
      'per CPU second of all': typeof ofAll === 'string' ? ofAll : DRAIN_EVENTS / (ofAll - starting),
    },
  ];
}

/** Measures CPU seconds, until the answer is called: of this process, and of all that it runs on. */
function cpu(stack: Stack): () => { readonly ofService: number; readonly ofAll: Figure } {
  const foreign = notOurs(stack, 'mongodb');
  const [own, all] = [ownCpuSeconds(), cpuSecondsOfTree(process.pid)];
  return () => ({
    ofService: ownCpuSeconds() - own,
    ofAll: foreign ?? cpuSecondsOfTree(process.pid) - all,
  });
}
