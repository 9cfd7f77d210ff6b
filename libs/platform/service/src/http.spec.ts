import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Module,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ACTOR_HEADER, ActorSigner, Ctx, Public, Roles, ServiceOnly } from '@atelier/auth';
import { DomainError, pageOf, pageQuery, type Actor, type Context } from '@atelier/kernel';
import { currentContext } from '@atelier/observability';
import { defineConfig } from './config.js';
import { createService, type RunningService } from './create-service.js';
import { assertVersion, IfMatch, withEtag } from './etag.js';
import { decodeCursor, encodeCursor } from './pagination.js';
import { setOutageProbe } from './probes.js';

const thingSchema = z.strictObject({
  title: z.string().min(1).max(20),
  tags: z.array(z.string()).max(3).optional(),
});
const listQuery = pageQuery({ q: z.string().max(10).optional() });
const listAnswer = pageOf(thingSchema);
const idSchema = z.string().regex(/^thg_\d+$/);

@Controller('api/v1/things')
class ThingsController {
  @Post()
  create(@Body({ schema: thingSchema }) body: z.infer<typeof thingSchema>) {
    return body;
  }

  @Get()
  @ApiOkResponse({ standardSchema: listAnswer })
  list(@Query({ schema: listQuery }) query: z.infer<typeof listQuery>) {
    const from = query.cursor ? decodeCursor(query.cursor, z.tuple([z.number()]))[0] : 0;
    return { items: [{ title: `${from}` }], nextCursor: from < 1 ? encodeCursor([from + 1]) : null };
  }

  @Get('context')
  context(@Ctx() context: Context) {
    return { context, same: currentContext() === context };
  }

  @Get('public')
  @Public()
  open(@Ctx() context: Context) {
    return { kind: context.actor.kind };
  }

  @Get('moderated')
  @Roles('moderator')
  moderated() {
    return {};
  }

  @Get('internal')
  @ServiceOnly()
  internal() {
    return {};
  }

  @Get('fault')
  fault() {
    throw new Error('the database password is s3cr3t');
  }

  @Get('outage')
  outage() {
    throw new Error('the database at s3cr3t:27017 is gone');
  }

  @Get('poor')
  poor() {
    throw new DomainError({
      kind: 'payment_required',
      code: 'spec.credits.insufficient',
      detail: 'Too few credits.',
      extra: { available: 1, required: 2 },
    });
  }

  @Get('busy')
  busy() {
    throw new DomainError({
      kind: 'unavailable',
      code: 'spec.busy',
      detail: 'Later.',
      retryAfterSeconds: 1.2,
    });
  }

  @Get(':id')
  read(@Param('id', { schema: idSchema }) id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    withEtag(reply, 3);
    return { id };
  }

  @Patch(':id')
  update(@Param('id', { schema: idSchema }) id: string, @IfMatch() expected: number) {
    assertVersion(expected, 3);
    return { id };
  }

  @Delete(':id')
  @HttpCode(204)
  remove() {}
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

const ACTOR_SECRET = 'a-secret-of-at-least-thirty-two-bytes!';
const env = { PORT: '0', ACTOR_SECRET, LOG_LEVEL: 'silent', BODY_BYTES_MAX: '2048' };
const user: Actor = { kind: 'user', id: 'usr_1', role: 'user' };
const signer = new ActorSigner(ACTOR_SECRET);

let service: RunningService;
beforeAll(async () => {
  setOutageProbe((error) => error instanceof Error && error.message.endsWith('is gone'));
  service = await createService(ThingsModule, defineConfig('spec', {}), env);
});
afterAll(() => service.close());

type Json = Record<string, unknown>;

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

async function call(
  method: string,
  path: string,
  options: { actor?: Actor | null; body?: unknown; headers?: Record<string, string> } = {},
) {
  const { actor = user, body, headers = {} } = options;
  const response = await fetch(`${service.url}/${path}`, {
    method,
    headers: {
      ...(actor ? { [ACTOR_HEADER]: await signer.sign(actor) } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: (text ? JSON.parse(text) : {}) as Json,
  };
}

describe('a refusal is problem+json', () => {
  it.each([
    ['malformed JSON', 'POST', 'things', { body: '{"title":' }, 400, 'platform.request.malformed'],
    ['an empty body', 'POST', 'things', { body: '' }, 400, 'platform.request.invalid'],
    [
      'prototype poison',
      'POST',
      'things',
      { body: '{"__proto__":{"a":1},"title":"x"}' },
      400,
      'platform.request.malformed',
    ],
    ['JSON nested too deeply', 'POST', 'things', { body: nested(65) }, 400, 'platform.request.malformed'],
    [
      'JSON nested as deep as may be',
      'POST',
      'things',
      { body: nested(64) },
      400,
      'platform.request.invalid',
    ],
    [
      'half a character',
      'POST',
      'things',
      { body: '{"title":"\\ud800"}' },
      400,
      'platform.request.malformed',
    ],
    ['a NUL in text', 'POST', 'things', { body: { title: 'a\0b' } }, 400, 'platform.request.malformed'],
    ['a NUL in a name', 'POST', 'things', { body: { 'a\0b': 1 } }, 400, 'platform.request.malformed'],
    ['a missing field', 'POST', 'things', { body: {} }, 400, 'platform.request.invalid'],
    ['no body', 'POST', 'things', {}, 400, 'platform.request.invalid'],
    [
      'a body too large',
      'POST',
      'things',
      { body: { title: 'x'.repeat(5000) } },
      413,
      'platform.request.body_too_large',
    ],
    [
      'another media type',
      'POST',
      'things',
      { body: 'a=b', headers: { 'content-type': 'text/plain' } },
      415,
      'platform.request.unsupported_media_type',
    ],
    [
      'a form',
      'POST',
      'things',
      { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'platform.request.unsupported_media_type',
    ],
    ['an unknown route', 'GET', 'nothing', {}, 404, 'platform.request.not_found'],
    ['a wrong method', 'PUT', 'things/thg_1', {}, 405, 'platform.request.method_not_allowed'],
    ['a malformed id', 'GET', 'things/x', {}, 400, 'platform.request.invalid'],
    ['a path that is no URL', 'GET', 'things/%zz', {}, 400, 'platform.request.malformed'],
    ['a limit beyond the maximum', 'GET', 'things?limit=101', {}, 400, 'platform.request.invalid'],
    ['an unknown parameter', 'GET', 'things?colour=red', {}, 400, 'platform.request.invalid'],
    [
      'a parameter where none is read',
      'GET',
      'things/public?colour=red',
      {},
      400,
      'platform.request.invalid',
    ],
    [
      'a body where none is read',
      'PATCH',
      'things/thg_1',
      { body: { title: 'x' }, headers: { 'if-match': '"v3"' } },
      400,
      'platform.request.invalid',
    ],
    ['a made-up cursor', 'GET', 'things?cursor=abc', {}, 400, 'platform.cursor.invalid'],
    ['a domain refusal', 'GET', 'things/poor', {}, 402, 'spec.credits.insufficient'],
    ['a database that is away', 'GET', 'things/outage', {}, 503, 'platform.database.unavailable'],
    ['a fault', 'GET', 'things/fault', {}, 500, 'platform.internal'],
  ] as const)('for %s', async (_, method, path, options, status, code) => {
    const answer = await call(method, `api/v1/${path}`, options);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.json).toMatchObject({
      type: `urn:atelier:problem:${code}`,
      status,
      title: expect.any(String),
      detail: expect.any(String),
      requestId: answer.headers.get('x-request-id'),
      instance: `/api/v1/${path}`.split('?')[0],
    });
    expect(answer.text).not.toMatch(/s3cr3t|\.ts:|at \w+ \(/);
  });

  it('names each field by a JSON pointer, unknown ones too', async () => {
    const { json } = await call('POST', 'api/v1/things', { body: { tags: ['a', 1], 'a/b': 1, evil: 2 } });
    expect(json.errors).toEqual(
      expect.arrayContaining([
        { pointer: '/title', detail: 'is required' },
        { pointer: '/tags/1', detail: expect.stringContaining('string') },
        { pointer: '/a~1b', detail: 'is not a known field' },
        { pointer: '/evil', detail: 'is not a known field' },
      ]),
    );
    expect((await call('GET', 'api/v1/things/x')).json.errors).toMatchObject([{ pointer: '/id' }]);
    const unread = await call('GET', 'api/v1/things/public?colour=red');
    expect(unread.json.errors).toEqual([{ pointer: '/colour', detail: 'is not a known field' }]);
    const headers = { 'if-match': '"v3"' };
    expect((await call('PATCH', 'api/v1/things/thg_1', { body: {}, headers })).status).toBe(200);
  });

  it('carries the further members of a domain error, and when to try again', async () => {
    expect((await call('GET', 'api/v1/things/poor')).json).toMatchObject({ available: 1, required: 2 });
    expect((await call('GET', 'api/v1/things/busy')).headers.get('retry-after')).toBe('2');
    expect((await call('GET', 'api/v1/things/outage')).headers.get('retry-after')).toBe('2');
  });

  it('names the methods that a path takes', async () => {
    expect((await call('PUT', 'api/v1/things/thg_1')).headers.get('allow')).toBe('DELETE, GET, HEAD, PATCH');
  });
});

describe('who may call', () => {
  const anonymous: Actor = { kind: 'anonymous', id: 'anonymous' };
  const moderator: Actor = { ...user, role: 'moderator' };
  const admin: Actor = { ...user, role: 'admin' };
  const ledger: Actor = { kind: 'service', id: 'ledger' };

  it.each([
    ['context', null, 401],
    ['public', null, 401],
    ['public', anonymous, 200],
    ['public', user, 200],
    ['context', anonymous, 401],
    ['context', user, 200],
    ['context', ledger, 200],
    ['moderated', anonymous, 401],
    ['moderated', user, 403],
    ['moderated', ledger, 403],
    ['moderated', moderator, 200],
    ['moderated', admin, 200],
    ['internal', anonymous, 403],
    ['internal', admin, 403],
    ['internal', ledger, 200],
  ])('%s by %j answers %i', async (route, actor, status) => {
    expect((await call('GET', `api/v1/things/${route}`, { actor })).status).toBe(status);
  });

  it('a call past the gateway is told so, and a forged header is refused', async () => {
    expect((await call('GET', 'api/v1/things/public', { actor: null })).json.code).toBe(
      'platform.actor.missing',
    );
    const forged = await new ActorSigner('another-secret-of-thirty-two-bytes-or-so').sign(admin);
    const answer = await call('GET', 'api/v1/things/public', {
      actor: null,
      headers: { [ACTOR_HEADER]: forged },
    });
    expect([answer.status, answer.json.code]).toEqual([401, 'platform.actor.invalid']);
  });

  it('the context holds what the gateway set, and is current in the handler', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const headers = {
      'x-request-id': 'req_7',
      'x-correlation-id': 'cor_7',
      'x-forwarded-for': '203.0.113.9, 10.0.0.1',
      'user-agent': 'spec',
      traceparent,
    };
    const { json } = await call('GET', 'api/v1/things/context', { headers });
    expect(json).toEqual({
      same: true,
      context: {
        actor: user,
        correlationId: 'cor_7',
        causationId: 'req_7',
        ipAddress: '203.0.113.9',
        userAgent: 'spec',
        traceparent,
      },
    });
  });
});

describe('lists and versions', () => {
  it('a list links to its next page until the last one', async () => {
    const first = await call('GET', 'api/v1/things?q=a&limit=5');
    const link = /<\/(.*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1];
    expect(link).toContain('q=a&limit=5&cursor=');
    const last = await call('GET', link!);
    expect(last.json).toEqual({ items: [{ title: '1' }], nextCursor: null });
    expect(last.headers.get('link')).toBeNull();
  });

  it.each([
    [undefined, 428, 'platform.precondition.required'],
    ['v3', 400, 'platform.precondition.invalid'],
    ['*', 400, 'platform.precondition.invalid'],
    ['"v2"', 412, 'platform.precondition.failed'],
  ])('a change with If-Match %s answers %i', async (match, status, code) => {
    const answer = await call('PATCH', 'api/v1/things/thg_1', {
      headers: match ? { 'if-match': match } : {},
    });
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  it('a change of the version that was read is taken', async () => {
    const etag = (await call('GET', 'api/v1/things/thg_1')).headers.get('etag')!;
    expect((await call('PATCH', 'api/v1/things/thg_1', { headers: { 'if-match': etag } })).status).toBe(200);
  });
});

describe('what operators and the gateway read', () => {
  it('is open without an actor: health, metrics per route, and OpenAPI 3.1 made from the schemas, with the problems', async () => {
    expect((await call('GET', 'health/live', { actor: null })).json).toMatchObject({ status: 'ok' });
    await call('GET', 'api/v1/things/thg_1');
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toMatch(
      /atelier_http_request_duration_seconds_count\{service="spec",method="GET",route="\/api\/v1\/things\/:id",status="200"\} \d/,
    );
    const { json } = await call('GET', 'openapi.json', { actor: null });
    expect(json.openapi).toBe('3.1.0');
    const post = (json.paths as Record<string, Record<string, Json>>)['/api/v1/things']!.post!;
    expect(post.requestBody).toMatchObject({
      content: { 'application/json': { schema: { required: ['title'], additionalProperties: false } } },
    });
    for (const operation of Object.values(json.paths as Record<string, Record<string, Json>>).flatMap(
      Object.values,
    ))
      expect((operation as Json).responses).toMatchObject({
        default: {
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      });
    expect(json.components).toMatchObject({ schemas: { Problem: { required: expect.any(Array) } } });
    expect(Object.keys(json.paths as Json)).not.toContain('/health/live');
  });
});
