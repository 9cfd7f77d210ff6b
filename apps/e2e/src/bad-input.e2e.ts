import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readSecrets } from '@atelier/stack/checkout';
import { Api, until } from '@atelier/story/api';
import type { Platform } from './platform.js';

const PASSWORD = 'a long sentence that nobody guesses 7';
const SOON_MS = 15_000;

export function badInput(platform: () => Platform): void {
  let token: string;
  let otherToken: string;
  const send = (method: string, path: string, body?: string, headers: Record<string, string> = {}) =>
    fetch(`${platform().gatewayUrl}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    });
  /** Asserts a problem document: the status, a stable code, and nothing of our insides. */
  const problem = async (response: Response, status: number, code: RegExp): Promise<void> => {
    const text = await response.text();
    expect({ status: response.status, text }).toMatchObject({ status });
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const body = JSON.parse(text) as { code: string; status: number };
    expect(body.status).toBe(status);
    expect(body.code).toMatch(code);
    expect(text).not.toMatch(/node_modules|\.ts:\d|\.js:\d|Error:/);
  };

  beforeAll(async () => {
    const api = new Api(platform().gatewayUrl);
    const register = async () =>
      (
        (await api.expect(201, 'POST', '/auth/register', {
          body: {
            email: `${randomBytes(6).toString('hex')}@example.org`,
            password: PASSWORD,
            displayName: 'Ada',
          },
        })) as { accessToken: string }
      ).accessToken;
    token = await register();
    otherToken = await register();
  });

  const promptOf = async (who: string): Promise<{ id: string; title: string }> => {
    const response = await send('POST', '/prompts', JSON.stringify({ title: 'Mine', content: 'Text' }), {
      authorization: `Bearer ${who}`,
    });
    return (await response.json()) as { id: string; title: string };
  };

  /** The credits of a new account come from the ledger, soon after it is made. */
  const creditsOf = (who: string): Promise<number> =>
    until('the credits', SOON_MS, async () => {
      const response = await send('GET', '/billing/credits', undefined, { authorization: `Bearer ${who}` });
      return response.ok && ((await response.json()) as { available: number }).available;
    });

  /** A listing of the other's, approved, at this price. */
  const listed = async (priceCredits: number): Promise<string> => {
    const api = new Api(platform().gatewayUrl);
    const { id: promptId } = await promptOf(otherToken);
    const { id } = (await api.expect(201, 'POST', '/marketplace/listings', {
      token: otherToken,
      body: { promptId, title: 'Dear', description: 'Dearer than what a new account has.', priceCredits },
    })) as { id: string };
    await api.expect(200, 'POST', `/marketplace/listings/${id}/submit`, { token: otherToken });
    const logins = JSON.parse(readFileSync(platform().devLoginsFile, 'utf8')) as { moderator: object };
    const { accessToken } = (await api.expect(200, 'POST', '/auth/login', { body: logins.moderator })) as {
      accessToken: string;
    };
    await api.expect(200, 'POST', `/marketplace/listings/${id}/approve`, { token: accessToken });
    return id;
  };

  it.each([
    ['malformed JSON', '{"title": ', 400, /^platform\.request/],
    [
      'an unknown field',
      JSON.stringify({ title: 'a', content: 'b', isAdmin: true }),
      400,
      /^platform\.request/,
    ],
    ['a wrong type', JSON.stringify({ title: 5, content: 'b' }), 400, /^platform\.request/],
    [
      'a body that is too large',
      JSON.stringify({ title: 'a', content: 'x'.repeat(2_000_000) }),
      413,
      /too_large|large/,
    ],
  ])('%s is refused and nothing is written', async (_, body, status, code) => {
    await problem(await send('POST', '/prompts', body), status, code);
    const list = (await (await send('GET', '/prompts')).json()) as { items: unknown[] };
    expect(list.items).toHaveLength(0);
  });

  it('a field is refused also by a route that reads none, and nothing is done', async () => {
    const api = new Api(platform().gatewayUrl);
    const { id: promptId } = await promptOf(token);
    const body = { promptId, title: 'Draft', description: 'Stays one.', priceCredits: 5 };
    const { id } = (await api.expect(201, 'POST', '/marketplace/listings', { token, body })) as {
      id: string;
    };
    const submitted = await send('POST', `/marketplace/listings/${id}/submit`, '{"priceCredits":1}');
    await problem(submitted, 400, /^platform\.request\.invalid$/);
    expect(await (await send('GET', `/marketplace/listings/${id}`)).json()).toMatchObject({
      status: 'draft',
    });
    await problem(await send('GET', '/users/me?expand=all'), 400, /^platform\.request\.invalid$/);
  });

  it.each([
    ['negative', -1],
    ['fractional', 1.5],
    ['huge', 1e15],
    ['text', '100'],
  ])('a price that is %s is refused', async (_, priceCredits) => {
    const { id } = await promptOf(otherToken);
    const body = JSON.stringify({ promptId: id, title: 'T', description: 'D', priceCredits });
    const response = await send('POST', '/marketplace/listings', body, {
      authorization: `Bearer ${otherToken}`,
    });
    await problem(response, 400, /^platform\.request/);
  });

  it('what is somebody else’s is not there, for reading, changing and deleting', async () => {
    const { id } = await promptOf(otherToken);
    await problem(await send('GET', `/prompts/${id}`), 404, /not_found/);
    await problem(
      await send('PATCH', `/prompts/${id}`, '{"title":"Stolen"}', { 'if-match': '"v1"' }),
      404,
      /not_found/,
    );
    await problem(await send('DELETE', `/prompts/${id}`), 404, /not_found/);
    const still = (await (
      await send('GET', `/prompts/${id}`, undefined, { authorization: `Bearer ${otherToken}` })
    ).json()) as { title: string };
    expect(still.title).toBe('Mine');
  });

  it.each([
    ['missing', ''],
    ['forged', `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`],
    ['garbage', 'Bearer nonsense'],
  ])('a token that is %s is 401', async (_, authorization) => {
    await problem(
      await send('GET', '/users/me', undefined, { authorization }),
      401,
      /token|unauthenticated|actor/,
    );
  });

  it('a token whose payload was changed is 401', async () => {
    const [head, payload, signature] = token.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { role: string };
    const forged = Buffer.from(JSON.stringify({ ...claims, role: 'super_admin' })).toString('base64url');
    const response = await send('GET', '/audit', undefined, {
      authorization: `Bearer ${head}.${forged}.${signature}`,
    });
    await problem(response, 401, /token/);
  });

  it('an actor header of the client’s own changes nothing', async () => {
    const response = await send('GET', '/audit', undefined, { 'x-atelier-actor': 'admin' });
    await problem(response, 403, /forbidden|role/);
  });

  it('a service called directly, around the gateway, refuses', async () => {
    const response = await fetch(`${platform().urls.ledger}/api/v1/billing/credits`);
    await problem(response, 401, /platform\.actor\.missing/);
  });

  it('a key that is used again with another body is 422, and writes once', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const before = ((await (await send('GET', '/prompts')).json()) as { items: unknown[] }).items.length;
    const first = await send('POST', '/prompts', JSON.stringify({ title: 'Key', content: 'one' }), headers);
    const again = await send('POST', '/prompts', JSON.stringify({ title: 'Key', content: 'one' }), headers);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    await problem(
      await send('POST', '/prompts', JSON.stringify({ title: 'Key', content: 'two' }), headers),
      422,
      /key_reused/,
    );
    const after = ((await (await send('GET', '/prompts')).json()) as { items: unknown[] }).items.length;
    expect(after - before).toBe(1);
  });

  it.each([
    ['a signature by another secret', 'not the secret', 0, /^commerce\.webhook\.signature$/],
    [
      'a good signature and an old time stamp',
      readSecrets().sandboxWebhookSecret,
      3_600,
      /^commerce\.webhook\.timestamp$/,
    ],
  ])('a webhook with %s is refused', async (_, secret, ageSeconds, code) => {
    const body = JSON.stringify({ id: 'evt_x', type: 'payment.succeeded', data: {} });
    const at = String(Math.floor(Date.now() / 1000) - ageSeconds);
    const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
    const response = await send('POST', '/webhooks/sandbox', body, {
      'sandbox-signature': `t=${at},v1=${signature}`,
    });
    await problem(response, 400, code);
  });

  it('a picture that is no picture is refused', async () => {
    const form = new FormData();
    form.set('file', new Blob(['this is text'], { type: 'image/png' }), 'cat.png');
    const response = await fetch(`${platform().gatewayUrl}/api/v1/images`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    await problem(response, 415, /studio\.image/);
  });

  it('one who is short of credits is told how many are there and how many are needed', async () => {
    const available = await creditsOf(token);
    const listingId = await listed(available + 1);
    const response = await send('POST', '/marketplace/purchases', JSON.stringify({ listingId }));
    expect(await response.clone().json()).toMatchObject({ available, required: available + 1 });
    await problem(response, 402, /^ledger\.credits\.insufficient$/);
    expect(await creditsOf(token)).toBe(available);
  });

  it('a listing that is not there cannot be bought', async () => {
    const body = JSON.stringify({ listingId: 'lst_00000000000000000000000000' });
    await problem(await send('POST', '/marketplace/purchases', body), 404, /^commerce\.listing/);
  });
}
