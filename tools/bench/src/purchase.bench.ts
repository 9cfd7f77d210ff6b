import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api, until } from '@atelier/story/api';
import type { Stack } from '@atelier/stack';
import { round, Samples, withClients } from './measure.js';
import { cpuSecondsByName } from './processes.js';
import { perCpuSecond, type Report } from './report.js';
import { Rounds } from './rounds.js';
import { settled } from './settled.js';
import { notOurs, onStage } from './stage.js';

const BUYERS = 30;
const LISTINGS = 20;
const CLIENTS = 8;
const PRICE_CREDITS = 1;
/** Not counted: until then nine processes compile what they run. */
const WARM_UP_PURCHASES = 200;
const ROUNDS = 5;
const IDLE_SECONDS = 10;
/** A buyer's page does not ask in the same moment. */
const FIRST_LOOK_MS = 100;
const VISIBLE_TIMEOUT_MS = 30_000;
const WHAT = { way: 'purchase' };
/** Vendure's guest checkout on this class of machine, per second (a figure of others, not measured in this run). */
const VENDURE_CHECKOUTS_PER_SECOND = 11;

/** Purchases through the gateway: hold, purchase, capture, and the entitlement visible to the buyer. */
export function benchPurchase(): Promise<Report> {
  return onStage({}, async (stack) => {
    const api = new Api(stack.gatewayUrl);
    const moderator = await logIn(api);
    const seller = await register(api, 'seller');
    const listings: { id: string; promptId: string }[] = [];
    for (let i = 0; i < LISTINGS; i++) listings.push(await publishListing(api, seller, moderator, i));
    const buyers: string[] = [];
    for (let i = 0; i < BUYERS; i++) buyers.push(await register(api, `buyer${i}`));
    await until('the starter credits', VISIBLE_TIMEOUT_MS, async () => {
      const credits = (await api.expect(200, 'GET', '/billing/credits', { token: buyers.at(-1)! })) as {
        available: number;
      };
      return credits.available >= LISTINGS * PRICE_CREDITS;
    });

    const pairs = buyers.flatMap((token) => listings.map((listing) => ({ token, listing })));
    let answered = new Samples();
    let visible = new Samples();
    let looks = 0;
    const buy = async ({ token, listing }: (typeof pairs)[number]): Promise<void> => {
      const from = performance.now();
      await api.expect(201, 'POST', '/marketplace/purchases', { token, body: { listingId: listing.id } });
      answered.add(performance.now() - from);
      await sleep(FIRST_LOOK_MS);
      await until('the entitlement', VISIBLE_TIMEOUT_MS, async () => {
        looks++;
        const { body } = await api.request('GET', `/prompts/${listing.promptId}`, { token });
        return typeof (body as { content?: string }).content === 'string';
      });
      visible.add(performance.now() - from);
    };
    await withClients(pairs.slice(0, WARM_UP_PURCHASES), CLIENTS, buy);
    await settled(stack);
    const idle = per(await cpuOf(stack, () => sleep(IDLE_SECONDS * 1000)), IDLE_SECONDS);

    const measured = new Rounds();
    const purchases = (pairs.length - WARM_UP_PURCHASES) / ROUNDS;
    const foreign = notOurs(stack, 'mongodb', 'kafka');
    const spent: Cpu[] = [];
    for (let from = WARM_UP_PURCHASES; from < pairs.length; from += purchases) {
      [answered, visible, looks] = [new Samples(), new Samples(), 0];
      const startedAt = performance.now();
      let seconds = 0;
      const byName = await cpuOf(stack, async () => {
        await withClients(pairs.slice(from, from + purchases), CLIENTS, buy);
        seconds = (performance.now() - startedAt) / 1000;
        // Notifications, e-mails and counts are part of a purchase, also when the buyer reads the prompt before.
        await settled(stack);
      });
      // The wait itself is not: what the platform uses while nothing happens is taken off for its time.
      const waited = (performance.now() - startedAt) / 1000 - seconds;
      const cpu = map(byName, (used, name) => used - waited * (idle[name] ?? 0));
      spent.push(cpu);
      measured.add(WHAT, {
        'per second': purchases / seconds,
        'per CPU second': foreign ?? perCpuSecond(purchases, sum(cpu)),
        'answered p50 ms': answered.quantile(0.5),
        'answered p99 ms': answered.quantile(0.99),
        'readable p50 ms': visible.quantile(0.5),
        'readable p99 ms': visible.quantile(0.99),
        'looks per purchase': looks / purchases,
      });
    }
    const all = purchases * ROUNDS;
    const ofAll = map(idle, (_, name) => spent.reduce((total, cpu) => total + (cpu[name] ?? 0), 0));
    return {
      bench: 'purchase',
      what:
        `${ROUNDS} rounds of ${purchases} purchases by ${CLIENTS} clients through the gateway, until the buyer can read the prompt, ` +
        `after ${WARM_UP_PURCHASES} to warm up; medians (least–most). CPU until the last fact of a round has been handled.`,
      rows: measured.rows(),
      rounds: measured.raw(),
      // Parts alone would be taken for all.
      ...(foreign
        ? {}
        : { breakdown: [row('of a purchase', per(ofAll, all)), row('of an idle second', idle)] }),
      aims: [
        measured.aim(WHAT, 'per CPU second', {
          measure: 'per_cpu_second',
          unit: '/s',
          wanted: { atLeast: 10 * VENDURE_CHECKOUTS_PER_SECOND },
        }),
      ],
    };
  });
}

/** CPU seconds by the name of the process. */
type Cpu = Readonly<Record<string, number>>;

/** CPU of each process of the platform while this runs. The bench's own is not among them. */
async function cpuOf(stack: Stack, work: () => Promise<unknown>): Promise<Cpu> {
  const before = cpuSecondsByName(stack.pids);
  await work();
  return map(cpuSecondsByName(stack.pids), (seconds, name) => seconds - (before[name] ?? 0));
}

const map = (cpu: Cpu, change: (seconds: number, name: string) => number): Cpu =>
  Object.fromEntries(Object.entries(cpu).map(([name, seconds]) => [name, change(seconds, name)]));
const per = (cpu: Cpu, count: number): Cpu => map(cpu, (seconds) => seconds / count);
const sum = (cpu: Cpu): number => Object.values(cpu).reduce((total, each) => total + each, 0);
/** Milliseconds of all processes and of each. */
const row = (what: string, cpu: Cpu) => ({
  'CPU ms': what,
  ...map({ all: sum(cpu), ...cpu }, (seconds) => round(1000 * seconds)),
});

async function register(api: Api, name: string): Promise<string> {
  const answer = (await api.expect(201, 'POST', '/auth/register', {
    body: { email: `${name}@bench.example`, password: 'a long sentence of the bench 7', displayName: name },
  })) as { accessToken: string };
  return answer.accessToken;
}

async function logIn(api: Api): Promise<string> {
  const file = join(import.meta.dirname, '../../../.data/dev-logins.json');
  const { moderator } = JSON.parse(readFileSync(file, 'utf8')) as {
    moderator: { email: string; password: string };
  };
  return ((await api.expect(200, 'POST', '/auth/login', { body: moderator })) as { accessToken: string })
    .accessToken;
}

async function publishListing(api: Api, seller: string, moderator: string, number: number) {
  const prompt = (await api.expect(201, 'POST', '/prompts', {
    token: seller,
    body: { title: `Prompt ${number}`, content: `The text of prompt ${number}.` },
  })) as { id: string };
  const listing = (await api.expect(201, 'POST', '/marketplace/listings', {
    token: seller,
    body: {
      promptId: prompt.id,
      title: `Prompt ${number}`,
      description: 'For the bench.',
      priceCredits: PRICE_CREDITS,
    },
  })) as { id: string };
  await api.expect(200, 'POST', `/marketplace/listings/${listing.id}/submit`, { token: seller });
  await api.expect(200, 'POST', `/marketplace/listings/${listing.id}/approve`, { token: moderator });
  return { id: listing.id, promptId: prompt.id };
}
