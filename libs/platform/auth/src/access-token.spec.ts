import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { newId } from '@atelier/kernel';
import { AccessTokenVerifier } from './access-token.js';

const issuer = 'https://atelier.test';
const audience = 'atelier-api';
const sub = newId('usr');
const JWKS_AGED_MS = 700_000;
const refused = (code: string, status = 401) => expect.objectContaining({ code, status });

let key: CryptoKey;
let jwk: JWK;

beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  key = pair.privateKey;
  jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'EdDSA' };
});

const seconds = () => Math.floor(Date.now() / 1000);

function token(claims: Record<string, unknown> = {}, signWith = key): Promise<string> {
  const all = {
    sub,
    sid: 'ses_1',
    role: 'user',
    iss: issuer,
    aud: audience,
    iat: seconds(),
    exp: seconds() + 600,
    ...claims,
  };
  return new SignJWT(all).setProtectedHeader({ alg: 'EdDSA', kid: 'k1' }).sign(signWith);
}

const local = () => new AccessTokenVerifier({ jwks: { keys: [jwk] }, issuer, audience });

describe('AccessTokenVerifier', () => {
  it('turns a valid token into its actor', async () => {
    const actor = await local().verify(await token({ role: 'admin', scopes: ['a:b'], tenant: 'org_1' }));
    expect(actor).toEqual({
      kind: 'user',
      id: sub,
      role: 'admin',
      sessionId: 'ses_1',
      scopes: ['a:b'],
      tenantId: 'org_1',
    });
  });

  it.each([
    ['another issuer', { iss: 'https://evil.test' }],
    ['another audience', { aud: 'other' }],
    ['no session', { sid: undefined }],
    ['an unknown role', { role: 'root' }],
    ['a life that is too long', { exp: seconds() + 86_400 }],
  ])('refuses a token with %s', async (_, claims) => {
    await expect(local().verify(await token(claims))).rejects.toEqual(refused('gateway.token.invalid'));
  });

  it('refuses a token that has expired, by a code of its own', async () => {
    const old = await token({ iat: seconds() - 700, exp: seconds() - 100 });
    await expect(local().verify(old)).rejects.toEqual(refused('gateway.token.expired'));
  });

  it('refuses a remembered token from the second that it expires', async () => {
    const verifier = local();
    const valid = await token();
    await verifier.verify(valid);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 700_000);
    await expect(verifier.verify(valid)).rejects.toEqual(refused('gateway.token.expired'));
    now.mockRestore();
  });

  it('refuses a token that another key has signed', async () => {
    const { privateKey } = await generateKeyPair('EdDSA');
    await expect(local().verify(await token({}, privateKey))).rejects.toEqual(
      refused('gateway.token.invalid'),
    );
    await expect(local().verify('not.a.token')).rejects.toEqual(refused('gateway.token.invalid'));
  });

  describe('with a key set at a URL', () => {
    let server: Server;
    let url: string;
    let fetches = 0;
    let status = 200;

    beforeAll(async () => {
      server = createServer((_, response) => {
        fetches += 1;
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify({ keys: [jwk] }));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
    });
    beforeEach(() => {
      fetches = 0;
      status = 200;
    });
    afterAll(
      () =>
        new Promise<void>((resolve) => void (server.close(() => resolve()), server.closeAllConnections())),
    );

    it('fetches the keys once for many tokens, forged ones with unknown keys included', async () => {
      const verifier = new AccessTokenVerifier({ jwksUrl: url, issuer, audience });
      await verifier.verify(await token());
      for (let i = 0; i < 5; i++) {
        const forged = await new SignJWT({ sub })
          .setProtectedHeader({ alg: 'EdDSA', kid: `x${i}` })
          .sign(key);
        await expect(verifier.verify(forged)).rejects.toEqual(refused('gateway.token.invalid'));
      }
      expect(fetches).toBe(1);
    });

    it('goes on with the keys that it had while the issuer is away, and takes no other', async () => {
      const verifier = new AccessTokenVerifier({ jwksUrl: url, issuer, audience });
      const exp = seconds() + 1_800;
      await verifier.verify(await token({ exp }));
      status = 500;
      const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + JWKS_AGED_MS);
      const others = [await token({ exp, sid: 'ses_2' }), await token({ exp, sid: 'ses_3' })];
      for (const other of others) await expect(verifier.verify(other)).resolves.toMatchObject({ id: sub });
      const foreign = await new SignJWT({ sub }).setProtectedHeader({ alg: 'EdDSA', kid: 'k2' }).sign(key);
      await expect(verifier.verify(foreign)).rejects.toEqual(refused('gateway.jwks.unavailable', 503));
      // Asked twice in all: at first, and once in vain.
      expect(fetches).toBe(2);
      now.mockRestore();
    });

    it('answers 503, and not 401, when the keys cannot be had', async () => {
      status = 500;
      const broken = new AccessTokenVerifier({ jwksUrl: url, issuer, audience });
      await expect(broken.verify(await token())).rejects.toEqual(refused('gateway.jwks.unavailable', 503));
      const gone = new AccessTokenVerifier({ jwksUrl: 'http://127.0.0.1:1/jwks.json', issuer, audience });
      await expect(gone.verify(await token())).rejects.toEqual(refused('gateway.jwks.unavailable', 503));
    });
  });
});
