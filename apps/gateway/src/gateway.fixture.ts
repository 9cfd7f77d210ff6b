import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose';
import { ACCESS_TOKEN_AUDIENCE, ACCESS_TOKEN_ISSUER } from '@atelier/contracts/identity/auth.api';
import { newId } from '@atelier/kernel';
import { createService, type RunningService } from '@atelier/service';
import { gatewayConfig } from './gateway.config.js';
import { GatewayModule, gatewayOptions } from './gateway.module.js';
import { UPSTREAM_NAMES, type UpstreamName } from './routing/routes.js';

/** No stall of a busy machine is one of an upstream; who means one says how long it may take. */
const PATIENT_MS = '60000';
export const ACTOR_SECRET = 'a-secret-of-the-tests-that-signs-actors';

const keys = await generateKeyPair('ES256', { extractable: true });
const foreignKeys = await generateKeyPair('ES256');
const jwk: JWK = { ...(await exportJWK(keys.publicKey)), kid: 'test', alg: 'ES256', use: 'sig' };

/** An access token as identity signs it; `overrides` spoil it. */
export async function tokenOf(
  userId: string = newId('usr'),
  overrides: { claims?: JWTPayload; expiresAt?: number; foreign?: boolean } = {},
): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  return new SignJWT({ sid: newId('ses'), role: 'user', ...overrides.claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'test' })
    .setSubject(userId)
    .setIssuer(ACCESS_TOKEN_ISSUER)
    .setAudience(ACCESS_TOKEN_AUDIENCE)
    .setIssuedAt(nowSeconds - 600)
    .setExpirationTime(overrides.expiresAt ?? nowSeconds + 300)
    .sign(overrides.foreign ? foreignKeys.privateKey : keys.privateKey);
}

export const bearer = async (userId?: string) => ({ authorization: `Bearer ${await tokenOf(userId)}` });

/** What an upstream saw of a request. */
export interface Seen {
  readonly servedBy: UpstreamName;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string | undefined>;
  readonly bodyBytes: number;
}

/** A real HTTP server in the place of a service: it tells what it saw, and `extend` adds routes. */
export async function startUpstream(
  name: UpstreamName,
  extend: (server: FastifyInstance) => void = () => undefined,
  port = 0,
): Promise<FastifyInstance> {
  const server = Fastify({ forceCloseConnections: true, bodyLimit: 64 * 1_048_576 });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, payload, done) => {
    let bytes = 0;
    payload.on('data', (chunk: Buffer) => (bytes += chunk.length));
    payload.on('end', () => done(null, bytes));
    payload.on('error', done);
  });
  if (name === 'identity') server.get('/.well-known/jwks.json', () => ({ keys: [jwk] }));
  server.get('/health/ready', () => ({ status: 'ok' }));
  extend(server);
  server.all('/*', ({ method, url, headers, body }, reply) => {
    reply.header('x-powered-by', 'upstream').header('etag', '"v1"');
    return { servedBy: name, method, url, headers, bodyBytes: typeof body === 'number' ? body : 0 };
  });
  await server.listen({ port, host: '127.0.0.1' });
  return server;
}

export const portOf = (server: FastifyInstance): number => (server.server.address() as AddressInfo).port;

export interface GatewayUnderTest {
  readonly url: string;
  readonly service: RunningService;
  readonly upstreams: Record<UpstreamName, FastifyInstance>;
  /** Sends one request and reads the whole answer. */
  ask(path: string, init?: RequestInit & { duplex?: 'half' }): Promise<AnswerUnderTest>;
  close(): Promise<void>;
}

export interface AnswerUnderTest {
  readonly status: number;
  readonly headers: Headers;
  // why: a test reads whatever the answer has; its assertions are the check.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** A gateway with seven real upstreams, on free ports. */
export async function startGateway(
  env: Readonly<Record<string, string>> = {},
  extend: Partial<Record<UpstreamName, (server: FastifyInstance) => void>> = {},
): Promise<GatewayUnderTest> {
  const servers = await Promise.all(
    UPSTREAM_NAMES.map(async (name) => [name, await startUpstream(name, extend[name])] as const),
  );
  const upstreams = Object.fromEntries(servers) as Record<UpstreamName, FastifyInstance>;
  const urls = servers.map(([name, server]) => [
    `${name.toUpperCase()}_URL`,
    `http://127.0.0.1:${portOf(server)}`,
  ]);
  const service = await createService(
    GatewayModule,
    gatewayConfig,
    {
      NODE_ENV: 'test',
      PORT: '0',
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'fatal',
      ACTOR_SECRET,
      CONNECT_TIMEOUT_MS: PATIENT_MS,
      UPSTREAM_TIMEOUT_MS: PATIENT_MS,
      STALLED_BODY_TIMEOUT_MS: PATIENT_MS,
      OPENAPI_TIMEOUT_MS: PATIENT_MS,
      JWKS_URL: `http://127.0.0.1:${portOf(upstreams.identity)}/.well-known/jwks.json`,
      ...(Object.fromEntries(urls) as Record<string, string>),
      ...env,
    },
    gatewayOptions,
  );
  return {
    url: service.url,
    service,
    upstreams,
    async ask(path, init) {
      const response = await fetch(service.url + path, { redirect: 'manual', ...init });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') ?? false;
      return {
        status: response.status,
        headers: response.headers,
        body: isJson && text ? JSON.parse(text) : text,
      };
    },
    async close() {
      await service.close();
      await Promise.all(Object.values(upstreams).map((server) => server.close()));
    },
  };
}

/** Sends the whole of a body, whatever is answered meanwhile. Rejects when the connection is cut before. */
export async function sendAll(
  url: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<[status: number, text: string]> {
  const agent = new Agent({ keepAlive: true });
  const request = httpRequest(url, { method: 'POST', headers, agent });
  const sent = once(request, 'finish');
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.end(body);
  const [[response]] = await Promise.all([answered, sent]);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  agent.destroy();
  return [response.statusCode ?? 0, text];
}

const RAW_IDLE_MS_MAX = 30_000;

/** Sends bytes as they are and gives everything that came back until the connection ended, or until that is in it. */
export async function sendRaw(url: string, bytes: string, until?: RegExp): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (until?.test(text)) socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.setTimeout(RAW_IDLE_MS_MAX, () => socket.destroy());
  socket.write(Buffer.from(bytes, 'latin1'));
  await once(socket, 'close');
  return text;
}
