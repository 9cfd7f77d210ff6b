import { createHash } from 'node:crypto';
import { jest } from '@jest/globals';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { z } from 'zod';
import { eventually } from '@atelier/testing';
import { ACTOR_HEADER, ActorSigner, Ctx, Public } from '@atelier/auth';
import { DomainError, idFor, type Actor, type Context, type ErrorKind } from '@atelier/kernel';
import { defineConfig } from './config.js';
import { createService, type RunningService } from './create-service.js';
import {
  fingerprintKey,
  IDEMPOTENCY_LEASE_MS,
  IDEMPOTENCY_RENEWALS_PER_LEASE,
  Idempotent,
  IdempotencyStore,
  requestHash,
  type IdempotencyState,
  type StoredAnswer,
} from './idempotency.js';

/** A store in a Map: what a real one does, without its durability. */
class MapStore extends IdempotencyStore {
  private readonly rows = new Map<
    string,
    { hash: string; firstSeenAt: Date; running: boolean; answer?: StoredAnswer }
  >();

  async begin(seed: string, hash: string): Promise<IdempotencyState> {
    const row = this.rows.get(seed);
    if (row && row.hash !== hash) return { state: 'mismatch' };
    if (row?.answer) return { state: 'replay', ...row.answer };
    if (row?.running) return { state: 'in_flight' };
    const firstSeenAt = row?.firstSeenAt ?? new Date();
    this.rows.set(seed, { hash, firstSeenAt, running: true });
    return { state: 'started', firstSeenAt, run: seed };
  }

  hashes(): string[] {
    return [...this.rows.values()].map(({ hash }) => hash);
  }

  renewals = 0;
  async renew(): Promise<void> {
    this.renewals += 1;
  }

  async complete(seed: string, _run: string, answer: StoredAnswer): Promise<void> {
    this.rows.set(seed, { ...this.rows.get(seed)!, running: false, answer });
  }

  async abandon(seed: string): Promise<void> {
    this.rows.set(seed, { ...this.rows.get(seed)!, running: false });
  }
}

const order = z.strictObject({ what: z.string(), price: z.number().optional() });
let runs = 0;
const made: string[] = [];
let release: () => void = () => undefined;

@Controller('api/v1/orders')
class OrdersController {
  @Post()
  @Public()
  @Idempotent()
  async create(@Body({ schema: order }) body: z.infer<typeof order>, @Ctx() context: Context) {
    runs += 1;
    if (body.what === 'slow') await new Promise<void>((resolve) => (release = resolve));
    if (body.what === 'refused') throw refusal('payment_required');
    if (body.what === 'throttled') throw refusal('too_many_requests');
    if (body.what === 'not here yet') throw refusal('not_found', 1);
    if (body.what === 'down') throw refusal('unavailable');
    if (body.what === 'dies once' && !made.includes(idFor(context, 'ord'))) {
      made.push(idFor(context, 'ord'));
      throw new Error('died after its effect');
    }
    if (body.what === 'fault') throw new Error('fault');
    return { id: idFor(context, 'ord'), runs };
  }

  @Post('strict')
  @Idempotent({ required: true })
  strict() {}
}

const refusal = (kind: ErrorKind, retryAfterSeconds?: number) =>
  new DomainError({ kind, code: 'spec.refused', detail: 'No.', retryAfterSeconds });

@Module({ controllers: [OrdersController], providers: [{ provide: IdempotencyStore, useClass: MapStore }] })
class OrdersModule {}

const ACTOR_SECRET = 'a-secret-of-at-least-thirty-two-bytes!';
const signer = new ActorSigner(ACTOR_SECRET);
const alice: Actor = { kind: 'user', id: 'usr_a' };
const bob: Actor = { kind: 'user', id: 'usr_b' };

let service: RunningService;
beforeAll(async () => {
  const env = { PORT: '0', ACTOR_SECRET, LOG_LEVEL: 'silent' };
  service = await createService(OrdersModule, defineConfig('spec', {}), env);
});
afterAll(() => service.close());

async function post(
  body: unknown,
  key: string | undefined,
  actor = alice,
  path = '',
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${service.url}/api/v1/orders${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      [ACTOR_HEADER]: await signer.sign(actor),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    type: response.headers.get('content-type'),
    code: (JSON.parse(text || '{}') as { code?: string }).code,
    replayed: response.headers.get('idempotency-replayed'),
    retryAfter: response.headers.get('retry-after'),
  };
}

describe('a POST with an Idempotency-Key', () => {
  it('runs once, and answers a repeat with the same status and body', async () => {
    const before = runs;
    const first = await post({ what: 'a', price: 1 }, 'k1');
    const repeat = await post('{"price":1,  "what":"a"}', 'k1');
    expect(first).toMatchObject({ status: 201, replayed: null });
    expect(repeat).toEqual({ ...first, replayed: 'true' });
    expect(runs).toBe(before + 1);
  });

  it('is refused with 422 when the body is another', async () => {
    await post({ what: 'a' }, 'k2');
    expect(await post({ what: 'b' }, 'k2')).toMatchObject({
      status: 422,
      code: 'platform.idempotency.key_reused',
    });
  });

  it('is asked to wait while the first is running, and replayed afterwards', async () => {
    const first = post({ what: 'slow' }, 'k3');
    const started = runs;
    while (runs === started) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await post({ what: 'slow' }, 'k3')).toMatchObject({
      status: 409,
      code: 'platform.idempotency.in_flight',
      retryAfter: '1',
    });
    release();
    expect((await first).status).toBe(201);
    expect(await post({ what: 'slow' }, 'k3')).toMatchObject({ status: 201, replayed: 'true' });
  });

  it('keeps its key for as long as it is at work', async () => {
    const store = service.app.get<MapStore>(IdempotencyStore, { strict: false });
    const intervals = jest.spyOn(globalThis, 'setInterval');
    const before = { runs, renewals: store.renewals };
    const first = post({ what: 'slow' }, 'k3a');
    await eventually(() => expect(runs).toBe(before.runs + 1));
    const renewMs = IDEMPOTENCY_LEASE_MS / IDEMPOTENCY_RENEWALS_PER_LEASE;
    const [[renew] = []] = intervals.mock.calls.filter(([, ms]) => ms === renewMs);
    intervals.mockRestore();
    renew!();
    expect(store.renewals).toBeGreaterThan(before.renewals);
    release();
    expect((await first).status).toBe(201);
  });

  it('never meets the key of another caller, visitors at other addresses included', async () => {
    const visitor: Actor = { kind: 'anonymous', id: 'anonymous' };
    const answers = [
      await post({ what: 'a' }, 'k4', alice),
      await post({ what: 'a' }, 'k4', bob),
      await post({ what: 'a' }, 'k4', visitor, '', { 'x-forwarded-for': '203.0.113.1' }),
      await post({ what: 'a' }, 'k4', visitor, '', { 'x-forwarded-for': '203.0.113.2' }),
    ];
    expect(answers.map(({ replayed }) => replayed)).toEqual([null, null, null, null]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(4);
  });

  it('keeps a refusal that a repeat would meet again', async () => {
    const first = await post({ what: 'refused' }, 'k5');
    expect(await post({ what: 'refused' }, 'k5')).toEqual({ ...first, replayed: 'true' });
    expect(first).toMatchObject({ status: 402, type: expect.stringContaining('application/problem+json') });
  });

  it.each(['throttled', 'not here yet', 'down', 'fault'])(
    'runs again after a trouble that passes: %s',
    async (what) => {
      const before = runs;
      await post({ what }, `k6-${what}`);
      expect((await post({ what }, `k6-${what}`)).replayed).toBeNull();
      expect(runs).toBe(before + 2);
    },
  );

  it('finds what its first run made by the same id, when that run died before it could answer', async () => {
    expect((await post({ what: 'dies once' }, 'k8')).status).toBe(500);
    const { text } = await post({ what: 'dies once' }, 'k8');
    expect(made).toEqual([(JSON.parse(text) as { id: string }).id]);
  });

  it.each([
    ['', 'é'],
    ['', 'x'.repeat(256)],
  ])('refuses a malformed key', async (path, key) => {
    const value = Buffer.from(key).toString('latin1');
    expect(await post({ what: 'a' }, value, alice, path)).toMatchObject({
      status: 400,
      code: 'platform.idempotency.key_invalid',
    });
  });

  it('leaves no hash of its body by which a guess could be tried without the secret', async () => {
    const store = service.app.get<MapStore>(IdempotencyStore, { strict: false });
    const body = { what: 'DE89370400440532013000' };
    const before = store.hashes().length;
    expect((await post(body, 'k9')).status).toBe(201);
    const kept = store.hashes().slice(before);
    expect(kept).toEqual([requestHash({ body, query: {} }, fingerprintKey(ACTOR_SECRET, 'spec'))]);
    const plain = [body, [[['what', body.what]], []], [body, {}]].map((input) =>
      createHash('sha256').update(JSON.stringify(input)).digest('hex'),
    );
    const otherKeys = [
      fingerprintKey(`${ACTOR_SECRET}!`, 'spec'),
      fingerprintKey(ACTOR_SECRET, 'another'),
      Buffer.alloc(0),
    ].map((key) => requestHash({ body, query: {} }, key));
    for (const guess of [...plain, ...otherKeys]) expect(kept).not.toContain(guess);
  });

  it('is refused with 400 when its body is nested beyond what can be hashed', async () => {
    const body = `{"what":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
    expect(await post(body, 'k10')).toMatchObject({ status: 400, code: 'platform.request.malformed' });
  });

  it('is refused without a key where the route needs one', async () => {
    expect(await post({}, undefined, alice, '/strict')).toMatchObject({
      status: 400,
      code: 'platform.idempotency.key_required',
    });
    expect((await post({ what: 'a' }, undefined)).status).toBe(201);
  });
});
