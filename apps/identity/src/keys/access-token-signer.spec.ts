import { generateKeyPairSync } from 'node:crypto';
import type { ConfigOf } from '@atelier/service';
import type { identityConfig } from '../identity.config.js';
import { AccessTokenSigner } from './access-token-signer.js';

const aKey = (kind: 'P-256' | 'Ed25519') => {
  const { privateKey } =
    kind === 'P-256' ? generateKeyPairSync('ec', { namedCurve: kind }) : generateKeyPairSync('ed25519');
  return { ...privateKey.export({ format: 'jwk' }), kid: 'k1' };
};
const start = (jwk: object) =>
  new AccessTokenSigner({ JWT_PRIVATE_JWK: jwk } as ConfigOf<typeof identityConfig>).onModuleInit();

describe('the key of access tokens', () => {
  it.each(['P-256', 'Ed25519'] as const)(
    'lets the service start when both halves are of one %s key',
    (kind) => expect(start(aKey(kind))).resolves.toBeUndefined(),
  );

  it.each([
    ['another public half', { ...aKey('P-256'), x: aKey('P-256').x }],
    ['another private half', { ...aKey('Ed25519'), d: aKey('Ed25519').d }],
    ['no key in it', { ...aKey('P-256'), d: 'AA' }],
  ])('stops the start when it has %s', (_, jwk) =>
    expect(start(jwk)).rejects.toThrow('JWT_PRIVATE_JWK cannot sign access tokens'),
  );
});
