import type { IncomingMessage } from 'node:http';
import { jest } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { HealthRegistry } from '@atelier/service';
import { eventually } from '@atelier/testing';
import {
  bearer,
  portOf,
  sendAll,
  sendRaw,
  startGateway,
  startUpstream,
  type GatewayUnderTest,
} from '../gateway.fixture.js';

/** Where an upstream is given up; elsewhere nothing is too late. */
const SOON_MS = '300';
/** Longer than a test may take: only the test says that it is over. */
const BREAKER_OPEN_MS = 600_000;
const UPLOAD_TIMEOUT_MS = 543_210;
/** Longer than a test may take: a drain that waits for it fails. */
const DRAIN_TIMEOUT_MS = 120_000;
const BREAKER_FAILURES_MAX = 3;
const IN_FLIGHT_MAX = 4;
/** More than the buffers of all sockets on the way. */
const UNREAD_BYTES = 30 * 1_048_576;

let gateway: GatewayUnderTest;
let calls = 0;
/** Requests that the upstream has, and answers when it is told to. */
let held: (() => void)[] = [];
const areHeld = (count: number) => eventually(() => expect(held).toHaveLength(count));
const answerHeld = () => held.splice(0).forEach((answer) => answer());

const misbehave = (server: FastifyInstance): void => {
  server.all('/api/v1/marketplace/never', () => new Promise(() => undefined));
  server.all('/api/v1/marketplace/waits', async () => {
    await new Promise<void>((resolve) => held.push(resolve));
    return {};
  });
  server.all('/api/v1/marketplace/half', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-length': '100' });
    reply.raw.write('half', () => reply.raw.destroy());
  });
  server.all('/api/v1/marketplace/stalls', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-length': '100' });
    reply.raw.write('half');
  });
  server.all('/api/v1/marketplace/breaks-once', (_request, reply) => {
    calls += 1;
    if (calls > 1) return { calls };
    reply.hijack();
    reply.raw.destroy();
    return undefined;
  });
};

async function start(limits: Readonly<Record<string, string>> = {}): Promise<void> {
  calls = 0;
  held = [];
  const silence = (server: FastifyInstance) => {
    server.post('/api/v1/files/unread', { onRequest: () => undefined }, () => undefined);
    server.get('/api/v1/jobs/:id/events', (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.raw.write('data: first\n\n');
    });
  };
  gateway = await startGateway(
    {
      UPLOAD_TIMEOUT_MS: String(UPLOAD_TIMEOUT_MS),
      BREAKER_OPEN_MS: String(BREAKER_OPEN_MS),
      BREAKER_FAILURES_MAX: String(BREAKER_FAILURES_MAX),
      IN_FLIGHT_MAX: String(IN_FLIGHT_MAX),
      DRAIN_TIMEOUT_MS: String(DRAIN_TIMEOUT_MS),
      ...limits,
    },
    { commerce: misbehave, studio: silence },
  );
}
afterEach(async () => {
  jest.restoreAllMocks();
  await gateway.close();
});

const ask = async (path: string, init: RequestInit = {}) =>
  gateway.ask(path, {
    ...init,
    headers: { ...(await bearer()), ...(init.headers as Record<string, string>) },
  });

describe('an upstream that does not answer', () => {
  it('is given up after its time, with 504', async () => {
    await start({ UPSTREAM_TIMEOUT_MS: SOON_MS });
    const { status, body } = await ask('/api/v1/marketplace/never');
    expect([status, body.code]).toEqual([504, 'gateway.upstream.timeout']);
    expect(JSON.stringify(body)).not.toContain(String(portOf(gateway.upstreams.commerce)));
  });

  it('is not waited for when the body of the request does not arrive', async () => {
    await start({ UPSTREAM_TIMEOUT_MS: SOON_MS });
    const { authorization } = await bearer();
    const answer = await sendRaw(
      gateway.url,
      `POST /api/v1/marketplace/listings HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\n` +
        'content-type: application/json\r\ncontent-length: 10\r\n\r\n',
      /^HTTP\/1\.1 \d+ /,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('is what a large upload waited for when it stops to read, with 504', async () => {
    await start();
    const timers = jest.spyOn(globalThis, 'setTimeout');
    let upload: IncomingMessage | undefined;
    gateway.service.app.getHttpServer().once('request', (request: IncomingMessage) => (upload = request));
    const body = Buffer.alloc(UNREAD_BYTES);
    const answer = sendAll(`${gateway.url}/api/v1/files/unread`, await bearer(), body);
    await eventually(() => expect(upload?.isPaused()).toBe(true));
    const [[giveUp] = []] = timers.mock.calls.filter(([, ms]) => ms === UPLOAD_TIMEOUT_MS);
    giveUp!();
    const [status, text] = await answer;
    expect([status, text]).toEqual([504, expect.stringContaining('gateway.upstream.timeout')]);
  });

  it('cuts the answer off where it stops half-way, so that it cannot be taken for whole', async () => {
    await start({ STALLED_BODY_TIMEOUT_MS: SOON_MS });
    await expect(ask('/api/v1/marketplace/half')).rejects.toThrow();
    await expect(ask('/api/v1/marketplace/stalls')).rejects.toThrow();
    await eventually(async () => expect((await ask('/api/v1/marketplace/listings')).status).toBe(200));
  });
});

describe('an upstream that takes its time', () => {
  beforeEach(() => start());

  it('takes only so many requests, and the others are turned away with Retry-After', async () => {
    const taken = Array.from({ length: IN_FLIGHT_MAX }, () => ask('/api/v1/marketplace/waits'));
    await areHeld(IN_FLIGHT_MAX);
    const { status, headers, body } = await ask('/api/v1/users/me');
    expect([status, body.code]).toEqual([503, 'gateway.overloaded']);
    expect(headers.get('retry-after')).toBe('1');
    answerHeld();
    for (const answer of await Promise.all(taken)) expect(answer.status).toBe(200);
    expect((await ask('/api/v1/users/me')).status).toBe(200);
  });
});

describe('an upstream that breaks off', () => {
  beforeEach(() => start());

  it('is asked once more for what only reads', async () => {
    const { status, body } = await ask('/api/v1/marketplace/breaks-once');
    expect([status, body]).toEqual([200, { calls: 2 }]);
  });

  it('is not asked again for what may have taken effect', async () => {
    const { status, body } = await ask('/api/v1/marketplace/breaks-once', { method: 'POST', body: '{}' });
    expect([status, body.code, calls]).toEqual([502, 'gateway.upstream.broken', 1]);
  });
});

describe('an upstream that is gone', () => {
  beforeEach(() => start());

  it('opens its breaker, leaves the others alone, and is found again when it is back', async () => {
    const port = portOf(gateway.upstreams.commerce);
    await gateway.upstreams.commerce.close();
    for (let i = 0; i < BREAKER_FAILURES_MAX; i++) {
      const { status, body, headers } = await ask('/api/v1/marketplace/listings');
      expect([status, body.code]).toEqual([503, 'gateway.upstream.unavailable']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(JSON.stringify(body)).not.toContain(String(port));
    }
    gateway.upstreams.commerce = await startUpstream('commerce', misbehave, port);
    // The service is back, but until its time is over the breaker does not try.
    expect((await ask('/api/v1/marketplace/listings')).status).toBe(503);
    expect((await ask('/api/v1/users/me')).status).toBe(200);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + BREAKER_OPEN_MS);
    const trial = ask('/api/v1/marketplace/waits');
    await areHeld(1);
    expect((await ask('/api/v1/marketplace/listings')).status).toBe(503);
    answerHeld();
    expect((await trial).status).toBe(200);
    expect((await ask('/api/v1/marketplace/listings')).status).toBe(200);
  });

  it('is named with its reason, while the gateway itself stays ready', async () => {
    await gateway.upstreams.ledger.close();
    // Asked again where a busy machine let another one seem late.
    await eventually(async () => {
      const ready = await gateway.ask('/health/ready');
      expect([ready.status, ready.body.status]).toEqual([200, 'degraded']);
      expect(ready.body.details.ledger).toEqual({ status: 'degraded', message: 'not reachable' });
      const platform = await gateway.ask('/healthz');
      expect(platform.status).toBe(503);
      expect(platform.body.services.ledger).toEqual({ status: 'down', reason: 'not reachable' });
      expect(platform.body.services.catalog).toEqual({ status: 'up' });
    });
  });
});

describe('draining', () => {
  beforeEach(() => start());

  it('answers what is in flight, ends event streams and idle connections, and is over then', async () => {
    const response = await fetch(`${gateway.url}/api/v1/jobs/job_1/events`, { headers: await bearer() });
    const inFlight = ask('/api/v1/marketplace/waits');
    await areHeld(1);
    const closing = gateway.service.close();
    expect(gateway.service.app.get(HealthRegistry).draining).toBe(true);
    expect(await response.text()).toBe('data: first\n\n');
    answerHeld();
    expect((await inFlight).status).toBe(200);
    await closing;
    await expect(fetch(gateway.url)).rejects.toThrow();
  });
});
