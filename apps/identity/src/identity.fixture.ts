import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { startService, type ServiceUnderTest } from '@atelier/testing';
import { identityConfig } from './identity.config.js';
import { IdentityModule } from './identity.module.js';

export const PASSWORD = 'violet-harbour-lantern-42';

/** What access tokens are signed with. */
export const jwk = {
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid: 'key-of-the-tests',
};

/** An identity with keys of its own, to which a password costs little. */
export const startIdentity = (env: Readonly<Record<string, string>> = {}): Promise<ServiceUnderTest> =>
  startService(IdentityModule, identityConfig, {
    JWT_PRIVATE_JWK: JSON.stringify(jwk),
    DATA_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
    PASSWORD_HASH_COST: '4',
    ...env,
  });
