import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ActorSigner } from '@atelier/auth';
import { newId, type Actor } from '@atelier/kernel';
import { dataFolder, readSecrets } from '@atelier/stack/checkout';
import { urlsOf } from '@atelier/stack/stack';
import { parseHttpFile } from './http-file.js';
import { runHttpFile, type Outcome } from './http-run.js';
import { isColoured, painter, table } from './table.js';

const WIDTH_DEFAULT = 140;
const login = z.object({ email: z.string(), password: z.string() });
const logins = z.object({ admin: login, moderator: login });

/** Actors that no log-in of this checkout gives: services, and the second person of a two-person rule. */
const ACTORS: Readonly<Record<string, Actor>> = {
  SERVICE_ACTOR: { kind: 'service', id: 'studio' },
  SECOND_ADMIN_ACTOR: { kind: 'user', id: newId('usr'), role: 'admin' },
};

/** Plays a `.http` file against the apps at these addresses; by default those of `npm start` in this checkout. */
export async function playHttpFile(
  file: string,
  urls: Readonly<Record<string, string>> = urlsOf(),
): Promise<{ readonly table: string; readonly ok: boolean; readonly outcomes: readonly Outcome[] }> {
  const moved = Object.entries(urlsOf()).map(([app, from]) => [from, urls[app] ?? from] as const);
  const outcomes: Outcome[] = [];
  const parsed = parseHttpFile(readFileSync(file, 'utf8'));
  const attach = (attached: string) => readFileSync(path.join(path.dirname(file), attached));
  const relocate = (url: string): string => {
    const found = moved.find(([from]) => url.startsWith(from));
    return found ? found[1] + url.slice(found[0].length) : url;
  };
  const fresh: Readonly<Record<string, string>> = { HOLD_ID: newId('hld') };
  const known = async (name: string) => fresh[name] ?? (await secret(name));
  for await (const outcome of runHttpFile(parsed, { secret: known, relocate, attach }))
    outcomes.push(outcome);
  const ok = outcomes.length === parsed.requests.length && outcomes.every(({ mismatch }) => !mismatch);
  return { table: show(outcomes), ok, outcomes };
}

async function secret(name: string): Promise<string | undefined> {
  const actor = ACTORS[name];
  if (actor) return new ActorSigner(readSecrets().actorSecret, { issuer: 'gateway' }).sign(actor);
  const [, who, what] = /^(ADMIN|MODERATOR)_(EMAIL|PASSWORD)$/.exec(name) ?? [];
  if (!who) return process.env[name];
  const known = logins.parse(JSON.parse(readFileSync(path.join(dataFolder, 'dev-logins.json'), 'utf8')));
  return known[who.toLowerCase() as keyof typeof known][what!.toLowerCase() as 'email' | 'password'];
}

function show(outcomes: readonly Outcome[]): string {
  const columns = [
    { title: '', of: ({ mismatch }: Outcome) => (mismatch ? '✗' : '✓') },
    { title: 'status', of: ({ status }: Outcome) => String(status || '-') },
    { title: 'ms', of: ({ durationMs }: Outcome) => String(durationMs) },
    { title: 'method', of: ({ request }: Outcome) => request.method },
    { title: 'request', of: ({ request, mismatch }: Outcome) => mismatch ?? request.title },
  ];
  return table(outcomes, columns, painter(isColoured()), process.stdout.columns || WIDTH_DEFAULT);
}
