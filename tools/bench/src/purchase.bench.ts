import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Api, until } from '@atelier/story/api';
import { cpuSeconds, round, Samples, withClients } from './measure.js';
import type { Report } from './report.js';
import { withPlatform } from './stage.js';

const BUYERS = 20;
const LISTINGS = 20;
const CLIENTS = 8;
const PRICE_CREDITS = 1;
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
    const answered = new Samples();
    const visible = new Samples();
    const pids = (): number[] => Object.values(stack.pids);
    const cpuBefore = cpuSeconds(pids());
    const startedAt = performance.now();
    await withClients(pairs, CLIENTS, async ({ token, listing }) => {
      const from = performance.now();
      await api.expect(201, 'POST', '/marketplace/purchases', { token, body: { listingId: listing.id } });
      answered.add(performance.now() - from);
      await until('the entitlement', VISIBLE_TIMEOUT_MS, async () => {
        const { body } = await api.request('GET', `/prompts/${listing.promptId}`, { token });
        return typeof (body as { content?: string }).content === 'string';
      });
      visible.add(performance.now() - from);
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const cpu = cpuSeconds(pids()) - cpuBefore;
    const perSecond = pairs.length / seconds;
    const perCpuSecond = pairs.length / cpu;
    return {
      bench: 'purchase',
      what: `${pairs.length} purchases by ${CLIENTS} clients through the gateway, until the buyer can read the prompt.`,
      rows: [
        {
          purchases: pairs.length,
          'per second': round(perSecond),
          'CPU seconds': round(cpu),
          'per CPU second': round(perCpuSecond),
          'answered p50 ms': round(answered.quantile(0.5)),
          'answered p99 ms': round(answered.quantile(0.99)),
          'readable p50 ms': round(visible.quantile(0.5)),
          'readable p99 ms': round(visible.quantile(0.99)),
        },
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
