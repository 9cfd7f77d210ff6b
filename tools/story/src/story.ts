import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { EventDefinition } from '@atelier/kernel';
import { PromptCreated, PromptPublished } from '@atelier/contracts/catalog/prompt.events';
import { ListingPublished, ListingSubmitted } from '@atelier/contracts/commerce/listing.events';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseCompleted } from '@atelier/contracts/commerce/purchase.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import {
  CreditsGranted,
  CreditsHeld,
  CreditsReleased,
  CreditsSpent,
} from '@atelier/contracts/ledger/credits.events';
import { JobFinished, JobRequested } from '@atelier/contracts/studio/job.events';
import { Api, until, type Exchange } from './api.js';
import { Facts } from './facts.js';
import { aBlankSheet, aLandscape, upload } from './pictures.js';

export interface StoryOptions {
  readonly gatewayUrl: string;
  readonly kafkaBrokers: string;
  /** The file with the moderator's development log-in. */
  readonly devLoginsFile: string;
  readonly onStep?: (title: string) => void;
  readonly onExchange?: (exchange: Exchange) => void;
  readonly onFact?: (type: string, subject: string, data: unknown) => void;
}

/** What the story left behind, for a test to look at. */
export interface StoryEnd {
  readonly traceId: string;
  readonly seller: { readonly id: string; readonly available: number; readonly salesCount: number };
  readonly buyer: { readonly id: string; readonly available: number };
  readonly purchase: {
    readonly id: string;
    readonly priceCredits: number;
    readonly sellerEarningsCredits: number;
  };
  readonly facts: readonly { readonly type: string; readonly subject: string }[];
}

const PRICE_CREDITS = 100;
/** Longer than the leases of what may have been killed in the middle of it. */
const SOON_MS = 45_000;
const JOB_MS = 60_000;

interface Person {
  readonly id: string;
  readonly token: string;
}

/** Plays the first story through the gateway, as two people and a moderator would. Throws at the first wrong answer. */
export async function playStory(options: StoryOptions): Promise<StoryEnd> {
  const step = options.onStep ?? (() => undefined);
  const api = new Api(options.gatewayUrl, options.onExchange);
  const facts = await Facts.of(api.traceId, options.kafkaBrokers);
  let told = 0;
  /** Waits until the facts that a step leads to are on their topics, and tells all that came. */
  const hear = async (...definitions: EventDefinition[]): Promise<void> => {
    const from = told;
    await until(`the facts ${definitions.map(({ type }) => type).join(', ')}`, SOON_MS, async () =>
      definitions.every(({ type }) => facts.seen.slice(from).some((fact) => fact.type === type)),
    );
    for (const fact of facts.seen.slice(told)) options.onFact?.(fact.type, fact.subject, fact.data);
    told = facts.seen.length;
  };
  const credits = async (who: Person) =>
    (await api.expect(200, 'GET', '/billing/credits', { token: who.token, quiet: true })) as {
      settled: number;
      held: number;
      available: number;
    };

  try {
    step('Two people register');
    const seller = await register(api, 'Selma');
    const buyer = await register(api, 'Bo');
    await hear(UserRegistered, CreditsGranted);

    step('The seller writes a prompt');
    const prompt = (await api.expect(201, 'POST', '/prompts', {
      token: seller.token,
      body: {
        title: 'Product photo in soft light',
        content: 'A product on a white table, soft light from the left, 85 mm, shallow depth of field.',
        description: 'Studio look for any product.',
        category: 'image',
        tags: ['photo', 'product'],
      },
    })) as { id: string };
    await hear(PromptCreated);

    step('The seller lists it, a moderator approves it');
    const draft = (await api.expect(201, 'POST', '/marketplace/listings', {
      token: seller.token,
      body: {
        promptId: prompt.id,
        title: 'Product photo in soft light',
        description: 'The prompt behind our shop pictures.',
        priceCredits: PRICE_CREDITS,
      },
    })) as { id: string };
    await api.expect(200, 'POST', `/marketplace/listings/${draft.id}/submit`, { token: seller.token });
    const moderator = await logIn(api, options.devLoginsFile);
    await api.expect(200, 'POST', `/marketplace/listings/${draft.id}/approve`, { token: moderator });
    await hear(ListingSubmitted, ListingPublished, PromptPublished);

    step('The buyer buys a credit package; the sandbox provider tells by a signed webhook');
    const packages = (await api.expect(200, 'GET', '/billing/credit-packages')) as {
      items: { id: string; credits: number }[];
    };
    const creditPackage = packages.items.find(({ credits: amount }) => amount >= 500) ?? packages.items[0]!;
    const checkout = (await api.expect(201, 'POST', '/billing/checkouts', {
      token: buyer.token,
      body: { creditPackageId: creditPackage.id },
    })) as { payment: { id: string }; checkoutUrl: string };
    const before = await credits(buyer);
    await api.request('POST', `${checkout.checkoutUrl}/succeed`);
    await until('the payment', SOON_MS, async () => {
      const path = `/billing/payments/${checkout.payment.id}`;
      const payment = (await api.expect(200, 'GET', path, { token: buyer.token, quiet: true })) as {
        status: string;
      };
      return payment.status === 'succeeded';
    });
    await hear(PaymentSucceeded, CreditsGranted);
    await until('the credits', SOON_MS, async () => (await credits(buyer)).available > before.available);

    step('The buyer buys the prompt; the ledger captures the hold and posts both sides');
    const purchase = (await api.expect(201, 'POST', '/marketplace/purchases', {
      token: buyer.token,
      body: { listingId: draft.id },
    })) as StoryEnd['purchase'];
    await hear(CreditsHeld, PurchaseCompleted, CreditsSpent);
    const read = await until('the full prompt', SOON_MS, async () => {
      const answer = await api.request('GET', `/prompts/${prompt.id}`, { token: buyer.token, quiet: true });
      return (
        typeof (answer.body as { content?: string }).content === 'string' &&
        (answer.body as { content: string })
      );
    });
    options.onExchange?.({
      method: 'GET',
      path: `/prompts/${prompt.id}`,
      sent: undefined,
      answer: { status: 200, etag: null, retryAfter: null, body: read },
    });

    step('Both are told; the sales of the seller move');
    for (const who of [buyer, seller]) {
      await until('a notification', SOON_MS, async () => {
        const list = (await api.expect(200, 'GET', '/notifications', { token: who.token, quiet: true })) as {
          items: { title: string }[];
        };
        return list.items.some(({ title }) => title.includes('Product photo in soft light'));
      });
      await api.expect(200, 'GET', '/notifications?limit=2', { token: who.token });
    }
    const today = new Date().toISOString().slice(0, 10);
    const salesPath = `/analytics/sales?from=${today}&to=${today}`;
    await until('the sale in the metrics', SOON_MS, async () => {
      const sales = (await api.expect(200, 'GET', salesPath, { token: seller.token, quiet: true })) as {
        totals: { count: number };
      };
      return sales.totals.count === 1;
    });
    const sales = (await api.expect(200, 'GET', salesPath, { token: seller.token })) as {
      totals: { count: number };
    };

    step('The buyer has a picture enhanced; the job holds credits, runs, and is charged');
    await enhance(api, buyer, await aLandscape(), 'landscape.png', 'completed');
    await hear(JobRequested, JobFinished, CreditsSpent);

    step('A blank sheet has nothing to enhance: the job fails, the credits come back');
    const balance = await credits(buyer);
    await enhance(api, buyer, await aBlankSheet(), 'blank.png', 'failed');
    await hear(JobFinished, CreditsReleased);
    await until('the credits back', SOON_MS, async () => {
      const now = await credits(buyer);
      return now.available === balance.available && now.held === 0;
    });

    step('The end: what everybody has');
    const sellerCredits = (await api.expect(200, 'GET', '/billing/credits', { token: seller.token })) as {
      available: number;
    };
    const buyerCredits = (await api.expect(200, 'GET', '/billing/credits', { token: buyer.token })) as {
      available: number;
    };
    await api.expect(200, 'GET', '/billing/credit-transactions?limit=5', { token: buyer.token });
    return {
      traceId: api.traceId,
      seller: { id: seller.id, available: sellerCredits.available, salesCount: sales.totals.count },
      buyer: { id: buyer.id, available: buyerCredits.available },
      purchase,
      facts: facts.seen.map(({ type, subject }) => ({ type, subject })),
    };
  } finally {
    await facts.close();
  }
}

async function register(api: Api, name: string): Promise<Person> {
  const unique = randomBytes(4).toString('hex');
  const answer = (await api.expect(201, 'POST', '/auth/register', {
    body: {
      email: `${name.toLowerCase()}-${unique}@example.org`,
      password: `${randomBytes(12).toString('base64url')}-Aa1`,
      displayName: name,
    },
  })) as { user: { id: string }; accessToken: string };
  return { id: answer.user.id, token: answer.accessToken };
}

async function logIn(api: Api, devLoginsFile: string): Promise<string> {
  const logins = JSON.parse(readFileSync(devLoginsFile, 'utf8')) as {
    moderator: { email: string; password: string };
  };
  const answer = (await api.expect(200, 'POST', '/auth/login', { body: logins.moderator })) as {
    accessToken: string;
  };
  return answer.accessToken;
}

async function enhance(
  api: Api,
  who: Person,
  picture: Buffer,
  name: string,
  outcome: 'completed' | 'failed',
): Promise<void> {
  const image = (await api.expect(201, 'POST', '/images', {
    token: who.token,
    body: upload(picture, name),
  })) as { id: string };
  const job = (await api.expect(202, 'POST', `/images/${image.id}/enhancements`, {
    token: who.token,
    body: { tier: 'tier_1k' },
  })) as { id: string };
  const path = `/jobs/${job.id}`;
  const ended = await until(`the end of job ${job.id}`, JOB_MS, async () => {
    const now = (await api.expect(200, 'GET', path, { token: who.token, quiet: true })) as { status: string };
    return ['completed', 'failed', 'canceled'].includes(now.status) && now;
  });
  if (ended.status !== outcome)
    throw new Error(`the job ended ${ended.status}, not ${outcome}: ${JSON.stringify(ended)}`);
  await api.expect(200, 'GET', path, { token: who.token });
}
