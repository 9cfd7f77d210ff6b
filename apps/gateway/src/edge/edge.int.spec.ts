import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { newId } from '@atelier/kernel';
import { bearer, sendRaw, startGateway, tokenOf, type GatewayUnderTest } from '../gateway.fixture.js';

const ORIGIN = 'https://app.example.com';
const FUZZ_RUNS = 60;

const documented =
  (item: string, paths: Record<string, unknown>) =>
  (server: FastifyInstance): void => {
    const schemas = { Item: { type: 'object', properties: { [item]: { $ref: '#/components/schemas/Id' } } } };
    const document = {
      openapi: '3.1.0',
      paths,
      components: { schemas: { ...schemas, Id: { type: 'string' } } },
    };
    server.get('/openapi.json', () => document);
  };
const operation = {
  responses: { 200: { content: { j: { schema: { $ref: '#/components/schemas/Item' } } } } },
};

let gateway: GatewayUnderTest;
beforeAll(async () => {
  gateway = await startGateway(
    {
      CORS_ORIGINS: ORIGIN,
      RATE_AUTH_BURST: '3',
      RATE_AUTH_PER_MINUTE: '1',
      RATE_API_BURST: '200',
      RATE_API_PER_MINUTE: '1',
      RATE_BAD_TOKEN_BURST: '5',
      RATE_BAD_TOKEN_PER_MINUTE: '1',
      TRUSTED_PROXIES: '127.0.0.0/8',
    },
    {
      catalog: documented('a', {
        '/api/v1/prompts': {
          get: operation,
          post: { ...operation, parameters: [{ name: 'Idempotency-Key', in: 'header' }] },
        },
        '/api/v1/prompts/{id}': { get: operation },
        '/internal/projections/{id}/replay': { post: operation },
      }),
      ledger: documented('b', {
        '/api/v1/billing/credits': { get: operation },
        '/api/v1/prompts': { get: operation },
      }),
    },
  );
});
afterAll(() => gateway.close());

const from = (address: string) => ({ 'x-forwarded-for': address });

describe('rate limits', () => {
  it('tell each caller what is left, and give each user a quota of their own', async () => {
    const first = await bearer(newId('usr'));
    const answers = [];
    for (const headers of [first, first, await bearer(newId('usr'))])
      answers.push((await gateway.ask('/api/v1/users/me', { headers })).headers);
    expect(answers[0]!.get('ratelimit-policy')).toBe('"api";q=200;w=12000');
    expect(answers.map((headers) => /r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])).toEqual([
      '199',
      '198',
      '199',
    ]);
  });

  it('turn away who logs in too often from one address, with 429 and Retry-After', async () => {
    const logIn = (address: string) =>
      gateway.ask('/api/v1/auth/login', { method: 'POST', headers: from(address) });
    for (let i = 0; i < 3; i++) expect((await logIn('203.0.113.1')).status).toBe(200);
    const { status, headers, body } = await logIn('203.0.113.1');
    expect([status, body.code]).toEqual([429, 'gateway.rate_limit.exceeded']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(1);
    expect(headers.get('ratelimit')).toMatch(/^"auth";r=0;t=\d+$/);
    expect((await logIn('203.0.113.2')).status).toBe(200);
  });

  it('believe no address but what the trusted proxy added', async () => {
    const logIn = (address: string) =>
      gateway.ask('/api/v1/auth/login', { method: 'POST', headers: from(address) });
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await logIn(`10.9.9.${i}, 203.0.113.3`)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it('count who fails to prove who they are, by network, together with its visitors', async () => {
    const left = async (path: string, status: number) => {
      const answer = await gateway.ask(path, { headers: from('203.0.113.5') });
      expect(answer.status).toBe(status);
      return /r=(\d+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1];
    };
    const path = '/api/v1/users/me';
    expect([await left(path, 401), await left(path, 401)]).toEqual(['199', '198']);
    expect(await left('/api/v1/prompts/prm_1', 200)).toBe('197');
  });

  it('stop who tries one forged token after another', async () => {
    const forged = {
      authorization: `Bearer ${await tokenOf(undefined, { foreign: true })}`,
      ...from('203.0.113.4'),
    };
    const statuses = [];
    for (let i = 0; i < 6; i++)
      statuses.push((await gateway.ask('/api/v1/users/me', { headers: forged })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });
});

describe('CORS', () => {
  it('lets pages of a listed origin call and read what they need', async () => {
    const headers = { origin: ORIGIN };
    const preflight = await gateway.ask('/api/v1/prompts', {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key');
    for (const path of ['/api/v1/prompts/prm_1', '/api/v1/users/me', '/api/v1/unknown', '/openapi.json']) {
      const answer = await gateway.ask(path, { headers });
      expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, ORIGIN]);
      expect(answer.headers.get('vary')).toContain('Origin');
    }
  });

  it('says nothing to pages of other origins', async () => {
    const headers = { origin: 'https://evil.example' };
    const preflight = await gateway.ask('/api/v1/prompts', { method: 'OPTIONS', headers });
    expect(preflight.headers.get('access-control-allow-methods')).toBeNull();
    const answer = await gateway.ask('/api/v1/prompts/prm_1', { headers });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('documents', () => {
  it('gives one OpenAPI document of all services, without internal routes and foreign claims', async () => {
    const { status, body } = await gateway.ask('/openapi.json');
    expect([status, body.openapi]).toEqual([200, '3.1.0']);
    expect(Object.keys(body.paths)).toEqual([
      '/api/v1/billing/credits',
      '/api/v1/prompts',
      '/api/v1/prompts/{id}',
    ]);
    const { get, post } = body.paths['/api/v1/prompts'];
    expect(get.tags).toEqual(['catalog']);
    expect(get.security).toEqual([{ bearer: [] }]);
    expect(post.parameters).toEqual([{ name: 'Idempotency-Key', in: 'header' }]);
    expect(body.paths['/api/v1/prompts/{id}'].get.security).toEqual([{}, { bearer: [] }]);
    expect(get.responses.default.content['application/problem+json']).toBeDefined();
  });

  it('keeps apart what two services call by one name, and lets every reference find its target', async () => {
    const { body } = await gateway.ask('/openapi.json');
    const { schemas } = body.components;
    expect(Object.keys(schemas).sort()).toEqual(['Id', 'Item', 'Problem', 'ledger_Item']);
    expect(schemas.ledger_Item.properties.b).toEqual({ $ref: '#/components/schemas/Id' });
    const references = JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g);
    for (const [, name] of references) expect(schemas).toHaveProperty(name!);
    expect(JSON.stringify(body.paths['/api/v1/billing/credits'])).toContain('ledger_Item');
  });

  it('serves a docs page whose every part comes from here', async () => {
    const { status, headers, body } = await gateway.ask('/docs');
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    const parts = [...(body as string).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) expect([part, (await gateway.ask(part)).status]).toEqual([part, 200]);
    expect((await gateway.ask('/docs/assets/package.json')).status).toBe(404);
  });

  it('passes the keys of access tokens on, and says at / where everything is', async () => {
    expect((await gateway.ask('/.well-known/jwks.json')).body.keys).toHaveLength(1);
    const { body } = await gateway.ask('/');
    for (const path of [body.docs, body.openapi]) expect((await gateway.ask(path)).status).toBe(200);
  });
});

describe('nonsense', () => {
  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['no host', 'GET /api/v1/prompts HTTP/1.1\r\n\r\n', 400],
    [
      'two lengths',
      'POST /api/v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
    ],
    [
      'a length and chunks',
      'POST /api/v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a path that is no URL', 'GET /api/v1/%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 400],
    [
      'an absolute path',
      'GET http://evil.example/api/v1/prompts/a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
      400,
    ],
  ])('answers %s with a 4xx and no stack', async (_name, bytes, status) => {
    const answer = await sendRaw(gateway.url, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toMatch(/node_modules|\.ts:|\bat /);
  });

  it('never fails on paths, queries and headers that nobody would send', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replace(/[\r\n\0]/g, ''));
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'TRACE', 'PROPFIND', 'CONNECT', 'X'),
      path: fc.constantFrom(
        '/api/v1/prompts/',
        '/api/v1/auth/login',
        '/docs/',
        '/',
        '/api/v1/jobs/a/events?',
      ),
      rest: text,
      name: fc.constantFrom(
        'authorization',
        'connection',
        'content-type',
        'traceparent',
        'origin',
        'expect',
        'upgrade',
        'range',
      ),
      value: text,
      body: text,
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ method, path, rest, name, value, body }) => {
        const answer = await sendRaw(
          gateway.url,
          `${method} ${path}${rest} HTTP/1.1\r\nhost: a\r\n${name}: ${value}\r\nx-forwarded-for: 198.51.100.7\r\n` +
            `connection: close\r\ncontent-length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`,
        );
        // CONNECT is refused by ending the connection.
        if (method !== 'CONNECT') expect(answer).toMatch(/^HTTP\/1\.1 [1234]\d\d /);
        expect(answer).not.toMatch(/node_modules|\.ts:\d/);
      }),
      { numRuns: FUZZ_RUNS },
    );
    expect((await gateway.ask('/api/v1/prompts/prm_1', { headers: from('198.51.100.8') })).status).toBe(200);
  });
});
