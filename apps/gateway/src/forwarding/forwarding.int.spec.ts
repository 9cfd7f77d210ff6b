import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { ActorVerifier } from '@atelier/auth';
import { newId } from '@atelier/kernel';
import {
  ACTOR_SECRET,
  bearer,
  sendAll,
  sendRaw,
  startGateway,
  tokenOf,
  type GatewayUnderTest,
  type Seen,
} from '../gateway.fixture.js';

const MEBIBYTE = 1_048_576;
const actors = new ActorVerifier(ACTOR_SECRET);

let gateway: GatewayUnderTest;
let releaseStream: () => void;

beforeAll(async () => {
  gateway = await startGateway(
    { UPLOAD_BYTES_MAX: String(32 * MEBIBYTE), TRUSTED_PROXIES: '' },
    {
      studio: (server) => {
        server.get('/api/v1/jobs/:id/events', (_request, reply) => {
          reply.hijack();
          reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
          reply.raw.write('data: first\n\n');
          releaseStream = () => reply.raw.end('data: last\n\n');
        });
        // Answers in full, and never reads the body.
        const onRequest = (_request: unknown, reply: FastifyReply) => {
          reply.hijack();
          reply.raw.writeHead(413, { 'content-length': '9' });
          reply.raw.write('too large');
        };
        server.post('/api/v1/files/too-large', { onRequest }, () => undefined);
      },
      catalog: (server) => {
        server.get('/api/v1/prompts/big', (_request, reply) => reply.send(Buffer.alloc(8 * MEBIBYTE, 'x')));
        server.get('/api/v1/prompts/hints', (_request, reply) => {
          reply.raw.writeEarlyHints({ link: '</style.css>; rel=preload' });
          return { ok: true };
        });
        server.get('/api/v1/prompts/refused', (_request, reply) =>
          reply
            .status(409)
            .header('access-control-allow-origin', '*')
            .header('x-atelier-actor', 'leaked')
            .header('set-cookie', ['a=1', 'b=2'])
            .send({ code: 'catalog.x' }),
        );
      },
    },
  );
});
afterAll(() => gateway.close());

const seen = async (path: string, init?: RequestInit): Promise<Seen> => {
  const { status, body } = await gateway.ask(path, init);
  expect(status).toBe(200);
  return body as Seen;
};

describe('routing', () => {
  it.each([
    ['GET', '/api/v1/users/me', 'identity'],
    ['GET', '/api/v1/prompts', 'catalog'],
    ['GET', '/api/v1/prompts/prm_1/versions', 'catalog'],
    ['POST', '/api/v1/marketplace/listings', 'commerce'],
    ['GET', '/api/v1/billing/payments/pay_1', 'commerce'],
    ['GET', '/api/v1/billing/credits', 'ledger'],
    ['GET', '/api/v1/billing/credit-transactions?limit=5', 'ledger'],
    ['GET', '/api/v1/jobs/job_1', 'studio'],
    ['GET', '/api/v1/analytics/sales?from=a&to=b', 'analytics'],
    ['POST', '/api/v1/notifications/ntf_1/read', 'notifications'],
  ])('sends %s %s to %s, path and query untouched', async (method, path, upstream) => {
    const { servedBy, url, method: seenMethod } = await seen(path, { method, headers: await bearer() });
    expect([servedBy, url, seenMethod]).toEqual([upstream, path, method]);
  });

  it.each([
    '/internal/holds',
    '/metrics/x',
    '/api/v1/unknown',
    '/api/v2/prompts',
    '/api/v1',
    '/health/startup/x',
  ])('answers 404 for %s, which is no public route', async (path) => {
    const { status, headers, body } = await gateway.ask(path, { headers: await bearer() });
    expect(status).toBe(404);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body.code).toBe('platform.request.not_found');
  });

  it.each([
    '/api/v1/prompts/../../../internal/holds',
    '/api/v1/prompts/%2e%2e/%2e%2e/internal/holds',
    '/api/v1/prompts//internal',
    '/api/v1/prompts/..%2f..%2finternal',
    '/api/v1/prompts/\\internal',
  ])('refuses %s, which an upstream could read as another path', async (path) => {
    const token = (await bearer()).authorization;
    const answer = await sendRaw(
      gateway.url,
      `GET ${path} HTTP/1.1\r\nhost: a\r\nauthorization: ${token}\r\nconnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('gateway.path.malformed');
  });

  it('passes the answer of an upstream on, without what is of its connection, its software or ours to say', async () => {
    const { status, headers, body } = await gateway.ask('/api/v1/prompts/refused');
    expect(status).toBe(409);
    expect(body).toEqual({ code: 'catalog.x' });
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('x-atelier-actor')).toBeNull();
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const echoed = await gateway.ask('/api/v1/prompts/prm_1');
    expect(echoed.headers.get('x-powered-by')).toBeNull();
    expect(echoed.headers.get('etag')).toBe('"v1"');
  });

  it('answers HEAD without a body and passes over early hints', async () => {
    const head = await gateway.ask('/api/v1/prompts/prm_1', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
    expect((await gateway.ask('/api/v1/prompts/hints')).body).toEqual({ ok: true });
  });
});

describe('callers', () => {
  it('tells the upstream who calls, by a signed header made from the access token', async () => {
    const userId = newId('usr');
    const { headers } = await seen('/api/v1/users/me', { headers: await bearer(userId) });
    const actor = await actors.verify(headers['x-atelier-actor']!);
    expect(actor).toMatchObject({ kind: 'user', id: userId, role: 'user' });
    expect(headers.authorization).toBeUndefined();
  });

  it('tells the upstream that nobody is signed in where the route allows it', async () => {
    const { headers } = await seen('/api/v1/marketplace/listings?limit=1');
    expect(await actors.verify(headers['x-atelier-actor']!)).toEqual({ kind: 'anonymous', id: 'anonymous' });
  });

  const now = () => Math.floor(Date.now() / 1_000);
  it.each<[string, number, string | undefined, () => Promise<Record<string, string>>]>([
    ['no token', 401, 'gateway.token.missing', async () => ({})],
    ['a valid token', 200, undefined, () => bearer()],
    [
      'an expired token',
      401,
      'gateway.token.expired',
      async () => ({ authorization: `Bearer ${await tokenOf(undefined, { expiresAt: now() - 60 })}` }),
    ],
    [
      'a token of another key',
      401,
      'gateway.token.invalid',
      async () => ({ authorization: `Bearer ${await tokenOf(undefined, { foreign: true })}` }),
    ],
    [
      'a token with a made-up role',
      401,
      'gateway.token.invalid',
      async () => ({ authorization: `Bearer ${await tokenOf(undefined, { claims: { role: 'root' } })}` }),
    ],
    [
      'a token without a signature',
      401,
      'gateway.token.invalid',
      async () => {
        const [, payload] = (await tokenOf()).split('.');
        const header = Buffer.from('{"alg":"none"}').toString('base64url');
        return { authorization: `Bearer ${header}.${payload}.` };
      },
    ],
    ['another scheme', 401, 'gateway.token.invalid', async () => ({ authorization: 'Basic dTpw' })],
  ])('answers a signed-in route with %s: %d', async (_name, status, code, headers) => {
    const answer = await gateway.ask('/api/v1/users/me', { headers: await headers() });
    expect(answer.status).toBe(status);
    if (code === undefined) return;
    expect(answer.body).toMatchObject({ code, status, instance: '/api/v1/users/me' });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('refuses a forged token on routes that take anonymous callers, and ignores it where people log in', async () => {
    const headers = { authorization: `Bearer ${await tokenOf(undefined, { foreign: true })}` };
    expect((await gateway.ask('/api/v1/marketplace/listings', { headers })).status).toBe(401);
    expect((await gateway.ask('/api/v1/auth/login', { method: 'POST', headers })).status).toBe(200);
  });
});

describe('headers', () => {
  it('takes nothing from clients by which services know the caller or the way', async () => {
    const { headers } = await seen('/api/v1/prompts/prm_1', {
      headers: {
        'x-atelier-actor': 'forged',
        'x-atelier-anything': '1',
        'x-forwarded-for': '6.6.6.6',
        'x-forwarded-host': 'evil.example',
        'x-real-ip': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        cookie: 'a=b',
        'idempotency-key': 'kept',
        'if-match': '"v1"',
      },
    });
    expect(await actors.verify(headers['x-atelier-actor']!)).toMatchObject({ kind: 'anonymous' });
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    for (const name of ['x-atelier-anything', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'cookie'])
      expect(headers[name]).toBeUndefined();
    expect(headers['idempotency-key']).toBe('kept');
    expect(headers['if-match']).toBe('"v1"');
  });

  it('does not pass on what Connection names, and cannot be made to drop its own fields by it', async () => {
    const answer = await sendRaw(
      gateway.url,
      'GET /api/v1/prompts/prm_1 HTTP/1.1\r\nhost: a\r\nx-once: 1\r\nte: trailers\r\nconnection: close, x-once, x-atelier-actor\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    const { headers } = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as Seen;
    expect(headers['x-once']).toBeUndefined();
    expect(headers.te).toBeUndefined();
    expect(headers['x-atelier-actor']).toBeDefined();
  });

  it('continues a trace and a story, and begins them where there is none or nonsense', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const ids = { 'x-request-id': 'req-of-client', 'x-correlation-id': 'story-1', traceparent };
    const continued = await gateway.ask('/api/v1/prompts/prm_1', { headers: ids });
    expect(continued.headers.get('x-request-id')).toBe('req-of-client');
    expect((continued.body as Seen).headers).toMatchObject(ids);

    const nonsense = { 'x-request-id': 'a b', 'x-correlation-id': 'x'.repeat(65), traceparent: '00-1-2-3' };
    const begun = (await seen('/api/v1/prompts/prm_1', { headers: nonsense })).headers;
    expect(begun['x-request-id']).toMatch(/^req_/);
    expect(begun['x-correlation-id']).toBe(begun['x-request-id']);
    expect(begun.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('says the same request id in the problem as in the header', async () => {
    const { headers, body } = await gateway.ask('/api/v1/users/me');
    expect(body.requestId).toBe(headers.get('x-request-id'));
  });
});

describe('bodies', () => {
  it('passes bodies of any type on, byte for byte', async () => {
    const form = new FormData();
    form.append('file', new Blob([Buffer.alloc(2 * MEBIBYTE, 'p')]), 'picture.png');
    const upload = await seen('/api/v1/images', { method: 'POST', body: form, headers: await bearer() });
    expect(upload.bodyBytes).toBeGreaterThan(2 * MEBIBYTE);
    expect(upload.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);

    const raw = await seen('/api/v1/webhooks/sandbox', { method: 'POST', body: '{"raw" :1}' });
    expect([raw.servedBy, raw.bodyBytes]).toEqual(['commerce', 10]);
  });

  it('passes a large answer on to a slow reader', async () => {
    const response = await fetch(`${gateway.url}/api/v1/prompts/big`);
    await sleep(100);
    expect((await response.arrayBuffer()).byteLength).toBe(8 * MEBIBYTE);
  });

  it('refuses a body that says it is too large before it is sent', async () => {
    const { status, body } = await gateway.ask('/api/v1/prompts', {
      method: 'POST',
      body: Buffer.alloc(MEBIBYTE + 1),
      headers: await bearer(),
    });
    expect([status, body.code]).toEqual([413, 'platform.request.body_too_large']);
  });

  it('refuses a body that turns out too large while it streams', async () => {
    const chunk = Buffer.alloc(256 * 1_024);
    const stream = new ReadableStream({
      start: () => undefined,
      pull(controller) {
        sent += chunk.length;
        if (sent > 3 * MEBIBYTE) controller.close();
        else controller.enqueue(chunk);
      },
    });
    let sent = 0;
    const { status, body } = await gateway.ask('/api/v1/prompts', {
      method: 'POST',
      body: stream,
      duplex: 'half',
      headers: await bearer(),
    });
    expect([status, body.code]).toEqual([413, 'platform.request.body_too_large']);
  });

  it('takes in the whole of an upload that the upstream refused early, so that its client can read why', async () => {
    const url = `${gateway.url}/api/v1/files/too-large`;
    expect(await sendAll(url, await bearer(), Buffer.alloc(30 * MEBIBYTE))).toEqual([413, 'too large']);
  });

  it('lets a client that closes its connection send its refused body, and then read why', async () => {
    const headers = { ...(await bearer()), connection: 'close' };
    const body = Buffer.alloc(12 * MEBIBYTE);
    const [status] = await sendAll(`${gateway.url}/api/v1/prompts`, headers, body);
    expect(status).toBe(413);
  });

  it('goes on with the connection after a refused body', async () => {
    const answer = await sendRaw(
      gateway.url,
      `POST /api/v1/users/me HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello` +
        'GET /api/v1/prompts/prm_1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
  });

  it('delivers each event of a stream as it happens', async () => {
    const response = await fetch(`${gateway.url}/api/v1/jobs/job_1/events`, { headers: await bearer() });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    // The upstream sends the last event only after this one was read here.
    expect((await reader.read()).value).toBe('data: first\n\n');
    releaseStream();
    expect((await reader.read()).value).toBe('data: last\n\n');
    expect((await reader.read()).done).toBe(true);
  });

  it('lets go of the upstream when the client goes away', async () => {
    const abort = new AbortController();
    const closed = new Promise<void>((resolve) => {
      gateway.upstreams.studio.server.once('request', (_request, response: NodeJS.EventEmitter) => {
        void once(response, 'close').then(() => resolve());
      });
    });
    const response = await fetch(`${gateway.url}/api/v1/jobs/job_1/events`, {
      headers: await bearer(),
      signal: abort.signal,
    });
    expect(response.status).toBe(200);
    abort.abort();
    await closed;
  });
});
