import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { ACTOR_HEADER, ActorSigner, ActorVerifier } from '@atelier/auth';
import type { Context } from '@atelier/kernel';
import { newTraceparent } from '@atelier/observability';
import { ServiceClient, type ServiceClientOptions } from './service-client.js';

const secret = 'a-secret-of-at-least-thirty-two-bytes!';
const signer = new ActorSigner(secret, { issuer: 'commerce' });
/** Of one attempt: no stall of a busy machine is one of the called service. */
const PATIENT_MS = 60_000;
const context: Context = {
  actor: { kind: 'user', id: 'usr_1' },
  correlationId: 'cor_1',
  causationId: 'req_1',
  traceparent: newTraceparent(),
};
const schema = z.object({ id: z.string() });

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: IncomingMessage[] = [];
const clients: ServiceClient[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => (requests = []));
afterEach(() => {
  server.closeAllConnections();
  return Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

function client(options: Partial<ServiceClientOptions> = {}): ServiceClient {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const made = new ServiceClient({
    name: 'ledger',
    baseUrl,
    signer,
    timeoutMs: PATIENT_MS,
    retries: 2,
    ...options,
  });
  clients.push(made);
  return made;
}

function json(status: number, body: unknown, headers: Record<string, string> = {}) {
  answer = (_, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body));
}

const hold = { method: 'POST', path: '/internal/holds', body: { credits: 1 }, schema, context } as const;
const unavailable = expect.objectContaining({
  code: 'ledger.unavailable',
  status: 503,
  retryAfterSeconds: expect.any(Number),
});

describe('ServiceClient', () => {
  it('calls as the service, within the same story and trace', async () => {
    json(201, { id: 'hld_1' });
    await expect(client().call({ ...hold, idempotencyKey: 'pur_1' })).resolves.toEqual({ id: 'hld_1' });
    const headers = requests[0]!.headers;
    expect(headers).toMatchObject({ 'x-correlation-id': 'cor_1', 'idempotency-key': 'pur_1' });
    expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    await expect(new ActorVerifier(secret).verify(String(headers[ACTOR_HEADER]))).resolves.toEqual({
      kind: 'service',
      id: 'commerce',
    });
  });

  it('gives a refusal back as the same refusal', async () => {
    const problem = {
      type: 'x',
      title: 'x',
      status: 402,
      code: 'ledger.credits.insufficient',
      detail: 'Too few.',
      available: 1,
    };
    json(402, problem, { 'retry-after': '7' });
    await expect(client().call({ ...hold, idempotencyKey: 'k' })).rejects.toEqual(
      expect.objectContaining({
        kind: 'payment_required',
        code: 'ledger.credits.insufficient',
        message: 'Too few.',
        extra: { available: 1 },
        retryAfterSeconds: 7,
      }),
    );
    expect(requests).toHaveLength(1);
  });

  it.each([
    [401, 'platform.actor.invalid'],
    [403, 'platform.actor.not_service'],
    [400, 'platform.request.invalid'],
  ])('does not give its user a refusal of our own call: %i %s', async (status, code) => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    json(status, { code, detail: 'Call the API through the gateway.' });
    await expect(client().call(hold)).rejects.toEqual(unavailable);
    expect(String(logged.mock.calls)).toContain(`ledger refused our own call: ${status} ${code}`);
    logged.mockRestore();
  });

  it('passes on that the first call with its key is still running', async () => {
    json(409, { code: 'platform.idempotency.in_flight', detail: 'Later.' }, { 'retry-after': '1' });
    await expect(client().call(hold)).rejects.toMatchObject({ kind: 'conflict', retryAfterSeconds: 1 });
  });

  it('is unavailable when nobody listens, when time is over, and after a 500', async () => {
    await expect(client({ baseUrl: 'http://127.0.0.1:1' }).call(hold)).rejects.toEqual(unavailable);
    answer = () => undefined;
    await expect(client({ timeoutMs: 30 }).call(hold)).rejects.toEqual(unavailable);
    json(500, {});
    await expect(client().call(hold)).rejects.toEqual(unavailable);
  });

  it('repeats what may be repeated, within its bound, and nothing else', async () => {
    json(503, {});
    await expect(client().call({ ...hold, idempotencyKey: 'k' })).rejects.toEqual(unavailable);
    expect(requests).toHaveLength(3);
    await expect(client().call({ method: 'GET', path: '/x', schema, context })).rejects.toEqual(unavailable);
    expect(requests).toHaveLength(6);
    await expect(client().call(hold)).rejects.toEqual(unavailable);
    expect(requests).toHaveLength(7);
  });

  it('stops calling a service in trouble, and tries it again later', async () => {
    json(500, {});
    const resetMs = 54_321;
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const breaking = client({ retries: 0, breaker: { errorPercentMax: 50, callsMin: 3, resetMs } });
    for (let i = 0; i < 10; i++) await expect(breaking.call(hold)).rejects.toEqual(unavailable);
    expect(requests.length).toBeLessThan(6);
    json(200, { id: 'hld_1' });
    // Its time is over when the test says so, and not while it still calls.
    const [[later] = []] = timers.mock.calls.filter(([, ms]) => ms === resetMs);
    timers.mockRestore();
    later!();
    await expect(breaking.call(hold)).resolves.toEqual({ id: 'hld_1' });
  });

  it('does not take refusals for trouble', async () => {
    json(404, { code: 'ledger.hold.not_found', detail: 'No.' });
    const calm = client({ breaker: { errorPercentMax: 50, callsMin: 2, resetMs: 10_000 } });
    for (let i = 0; i < 6; i++)
      await expect(calm.call(hold)).rejects.toEqual(
        expect.objectContaining({ code: 'ledger.hold.not_found' }),
      );
    expect(requests).toHaveLength(6);
  });

  it('takes an answer that breaks the contract for a fault', async () => {
    json(200, { nothing: true });
    await expect(client().call(hold)).rejects.toBeInstanceOf(z.ZodError);
    answer = (_, response) => void response.writeHead(418).end('teapot');
    await expect(client().call(hold)).rejects.toThrow('answered 418');
  });
});
