import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { identityConfig } from '../identity.config.js';
import { PasswordHasher } from './password-hasher.js';

const jwk = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'k1' };
const environment = {
  PORT: '0',
  ACTOR_SECRET: randomBytes(32).toString('hex'),
  MONGODB_URI: 'mongodb://127.0.0.1/',
  KAFKA_BROKERS: 'memory',
  JWT_PRIVATE_JWK: JSON.stringify(jwk),
  DATA_ENCRYPTION_KEY: randomBytes(32).toString('hex'),
};
const hasherWith = (limits: Record<string, string>) =>
  new PasswordHasher(identityConfig.load({ ...environment, ...limits }));

describe('hashing passwords', () => {
  it('verifies by bcrypt of cost 12, also when a keyboard composes the characters otherwise', async () => {
    const hasher = hasherWith({});
    const stored = await hasher.hash('caf\u00e9 au lait');
    expect(stored).toMatch(/^\$2[by]\$12\$/);
    expect(await hasher.verify('cafe\u0301 au lait', stored)).toBe(true);
    expect(await hasher.verify('cafe au lait', stored)).toBe(false);
  });

  it('costs no less outside of tests', () => {
    expect(() => hasherWith({ PASSWORD_HASH_COST: '11', NODE_ENV: 'production' })).toThrow(
      /PASSWORD_HASH_COST is invalid: must be at least 12/,
    );
  });

  it('goes on after a NUL character and after 72 bytes', async () => {
    const hasher = hasherWith({});
    const long = 'x'.repeat(80);
    const stored = await hasher.hash(`a\0${long}1`);
    expect(await hasher.verify(`a\0${long}1`, stored)).toBe(true);
    expect(await hasher.verify(`a\0${long}2`, stored)).toBe(false);
  });

  it('never matches when there is no account', async () => {
    expect(await hasherWith({}).verify('anything', undefined)).toBe(false);
  });

  it('refuses what would wait too long, and works on when the others are done', async () => {
    const hasher = hasherWith({ PASSWORD_HASHES_RUNNING_MAX: '1', PASSWORD_HASHES_WAITING_MAX: '1' });
    // The hash of nobody runs already, so one may wait.
    const [first, second] = await Promise.allSettled([hasher.hash('one'), hasher.hash('two')]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'identity.password.busy',
        kind: 'unavailable',
        retryAfterSeconds: expect.any(Number) as number,
      },
    });
    expect(await hasher.hash('three')).toMatch(/^\$2[by]\$12\$/);
  });
});

describe('the environment', () => {
  it('names every bad variable and shows no value', () => {
    const bad = {
      ...environment,
      JWT_PRIVATE_JWK: '{"kty":"EC","crv":"P-256","d":"s3cr3t"}',
      DATA_ENCRYPTION_KEY: 'short',
    };
    expect(() => identityConfig.load(bad)).toThrow(/JWT_PRIVATE_JWK[\s\S]*DATA_ENCRYPTION_KEY/);
    expect(() => identityConfig.load(bad)).not.toThrow(/s3cr3t|short/);
    expect(() => identityConfig.load({ ...environment, JWT_PRIVATE_JWK: 'not JSON' })).toThrow(
      /expected a JWK as JSON/,
    );
  });
});
