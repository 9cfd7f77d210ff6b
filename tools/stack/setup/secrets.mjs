// Development secrets: random, made once per checkout, readable by their owner only.
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { writeOnce } from './atomic-file.mjs';

const ownerOnly = 0o600;
const secret = (bytes = 32) => randomBytes(bytes).toString('base64url');
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

/** Makes `.data/secrets.json` and `.data/dev-logins.json` unless they exist; never changes them. */
export async function ensureSecrets(dataDir) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwtPrivateJwk = {
    ...privateKey.export({ format: 'jwk' }),
    kid: randomUUID(),
    alg: 'ES256',
    use: 'sig',
  };
  const secrets = {
    actorSecret: secret(),
    jwtPrivateJwk,
    sandboxWebhookSecret: secret(),
    dataEncryptionKey: secret(32),
  };
  const logins = Object.fromEntries(
    ['admin', 'moderator'].map((role) => [role, { email: `${role}@atelier.example`, password: secret(18) }]),
  );
  await writeOnce(path.join(dataDir, 'secrets.json'), json(secrets), ownerOnly);
  await writeOnce(path.join(dataDir, 'dev-logins.json'), json(logins), ownerOnly);
}
