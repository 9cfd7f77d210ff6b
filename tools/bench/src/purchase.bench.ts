import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api, until } from '@atelier/story/api';
import type { Stack } from '@atelier/stack';
import { cpuSecondsByName, round, Samples, withClients } from './measure.js';
import type { Report } from './report.js';
import { withPlatform } from './stage.js';

const BUYERS = 30;
const LISTINGS = 20;
const CLIENTS = 8;
const PRICE_CREDITS = 1;
/** Not counted: until then nine processes compile what they run. */
const WARM_UP_PURCHASES = 200;
const IDLE_SECONDS = 10;
/** Until the last facts have been handled everywhere. */
const SETTLE_MS = 3_000;
/** A buyer's page does not ask in the same moment. */
const FIRST_LOOK_MS = 100;
const VISIBLE_TIMEOUT_MS = 30_000;
/** Vendure's guest checkout on this class of machine, per second (a figure of others, not measured in this run). */
const VENDURE_CHECKOUTS_PER_SECOND = 11;

/** Purchases through the gateway: hold, purchase, capture, and the entitlement visible to the buyer. */
export function benchPurchase(): Promise<Report> {
  return withPlatform(async (stack) => {
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
    await sleep(SETTLE_MS);
    const idle = await cpuOf(stack, () => sleep(IDLE_SECONDS * 1000));

    const measured = pairs.slice(WARM_UP_PURCHASES);
    [answered, visible, looks] = [new Samples(), new Samples(), 0];
    const startedAt = performance.now();
    const byName = await cpuOf(stack, () => withClients(measured, CLIENTS, buy));
    const seconds = (performance.now() - startedAt) / 1000;
    const cpu = sum(byName);
    const perSecond = measured.length / seconds;
    const perCpuSecond = measured.length / cpu;
    return {
      bench: 'purchase',
      what: `${measured.length} purchases by ${CLIENTS} clients through the gateway, until the buyer can read the prompt, after ${WARM_UP_PURCHASES} to warm up.`,
      rows: [
        {
          purchases: measured.length,
          'per second': round(perSecond),
          'CPU seconds': round(cpu),
          'per CPU second': round(perCpuSecond),
          'answered p50 ms': round(answered.quantile(0.5)),
          'answered p99 ms': round(answered.quantile(0.99)),
          'readable p50 ms': round(visible.quantile(0.5)),
          'readable p99 ms': round(visible.quantile(0.99)),
          'looks per purchase': round(looks / measured.length, 2),
        },
      ],
      breakdown: [
        { 'CPU ms': 'of a purchase', ...eachPer(byName, measured.length) },
        { 'CPU ms': 'of an idle second', ...eachPer(idle, IDLE_SECONDS) },
      ],
      aims: [
        {
          measure: 'per_cpu_second',
          value: round(perCpuSecond),
          unit: '/s',
          wanted: { atLeast: 10 * VENDURE_CHECKOUTS_PER_SECOND },
        },
      ],
    };
  });
}

/** CPU seconds of each process of the platform while this runs. The bench's own are not among them. */
async function cpuOf(stack: Stack, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = cpuSecondsByName(stack.pids);
  await work();
  const after = Object.entries(cpuSecondsByName(stack.pids));
  return Object.fromEntries(after.map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));
}

const sum = (seconds: Readonly<Record<string, number>>): number =>
  Object.values(seconds).reduce((total, each) => total + each, 0);

/** Milliseconds of each process and of all, per one of `count`. */
const eachPer = (seconds: Readonly<Record<string, number>>, count: number): Record<string, number> =>
  Object.fromEntries(
    Object.entries({ all: sum(seconds), ...seconds }).map(([name, of]) => [name, round((1000 * of) / count)]),
  );

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
