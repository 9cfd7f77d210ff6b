// Makes .env and the development log-ins for `docker compose up`; plain Node without dependencies.
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const loginsFolder = path.join(root, '.data/compose');
const secret = (bytes = 32) => randomBytes(bytes).toString('base64url');

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' };
const values = {
  ACTOR_SECRET: secret(),
  JWT_PRIVATE_JWK: `'${JSON.stringify(jwk)}'`,
  DATA_ENCRYPTION_KEY: secret(),
  SANDBOX_WEBHOOK_SECRET: secret(),
  GRAFANA_PASSWORD: secret(12),
};
const example = readFileSync(path.join(root, '.env.example'), 'utf8');
const filled = example.replace(/^([A-Z_]+)=$/gm, (line, name) => `${name}=${values[name] ?? ''}`);
const logins = Object.fromEntries(
  ['admin', 'moderator'].map((role) => [role, { email: `${role}@atelier.example`, password: secret(18) }]),
);

// The container's user is not the owner of the file: the folder keeps others out, the file lets the mount be read.
mkdirSync(loginsFolder, { recursive: true, mode: 0o700 });
once(path.join(loginsFolder, 'dev-logins.json'), `${JSON.stringify(logins, null, 2)}\n`, 0o644);
once(path.join(root, '.env'), filled, 0o600);

/** What exists is kept: new secrets would lock the data that the old ones protect. */
function once(file, text, mode) {
  try {
    writeFileSync(file, text, { flag: 'wx', mode });
    console.log(`${path.relative(root, file)} made`);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    console.log(`${path.relative(root, file)} is there already`);
  }
}
