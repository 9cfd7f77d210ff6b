import { parseArgs } from 'node:util';
import { request } from 'undici';
import { z } from 'zod';
import { ACTOR_HEADER, ActorSigner } from '@atelier/auth';
import { OperatorError } from './running.js';

export const help = `usage: npm run replay -- <projection>   empties a view and rebuilds it from its topics
<projection> is its id, like catalog.view-entitlements: \`npm run flow -- <event>\` shows the ids.
The app that owns it must run; it answers when the view has caught up.
  --url <url>   where the app is, when it is not the one of \`npm start\` in this checkout (or <APP>_URL)
  --lossy       also when the topics have lost their oldest events: what the view has of them is lost then
  --json        for machines
The secret that signs the call is ACTOR_SECRET, else this checkout's own.`;

/** A rebuild may take as long as the service allows itself, and a little more. */
const REPLAY_TIMEOUT_MS = 660_000;
const projectionId = /^([a-z]+)\.[a-z-]+$/;
const answer = z.object({ events: z.number() });
const problem = z.object({ detail: z.string() });

/** Where this machine's apps are and what signs a call to them. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** By the app's name. */
  readonly urls: () => Readonly<Record<string, string>>;
  /** @throws Error that says what to do when there is none */
  readonly actorSecret: () => string;
  readonly print: (text: string) => void;
}

/**
 * Asks the app that owns a projection to rebuild it, and says how many events that took.
 * @throws OperatorError
 */
export async function replay(args: readonly string[], around: Surroundings): Promise<number> {
  const { values, positionals } = parse(args);
  const [id, ...more] = positionals;
  if (values.help || id === undefined) {
    around.print(help);
    return values.help ? 0 : 1;
  }
  const app = projectionId.exec(id)?.[1];
  if (!app || more.length > 0) throw new OperatorError(`${id} is not the id of one projection.\n${help}`);
  const url = values.url ?? around.env[`${app.toUpperCase()}_URL`] ?? around.urls()[app];
  if (!url) {
    throw new OperatorError(`There is no app ${app}. There are: ${Object.keys(around.urls()).join(', ')}.`);
  }
  const signer = new ActorSigner(around.env['ACTOR_SECRET'] ?? around.actorSecret(), {
    issuer: 'operations',
  });
  const header = await signer.sign({ kind: 'service', id: 'operations' });
  const startedAt = Date.now();
  const path = `/internal/projections/${id}/replay${values.lossy ? '?lossy=true' : ''}`;
  const { events } = await ask(url + path, header, app);
  const durationMs = Date.now() - startedAt;
  around.print(
    values.json
      ? JSON.stringify({ projection: id, events, durationMs })
      : `${id} is rebuilt from ${events} event${events === 1 ? '' : 's'} in ${durationMs} ms.`,
  );
  return 0;
}

async function ask(url: string, header: string, app: string): Promise<z.infer<typeof answer>> {
  // Not fetch: that gives up after five minutes without an answer, whatever its signal says.
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: { [ACTOR_HEADER]: header },
    headersTimeout: REPLAY_TIMEOUT_MS,
  }).catch((error: Error & { code?: string }) => {
    throw new OperatorError(whyUnanswered(error, url, app));
  });
  const told: unknown = await body.json().catch(() => undefined);
  if (statusCode < 300) return answer.parse(told);
  const refusal = problem.safeParse(told);
  throw new OperatorError(refusal.success ? refusal.data.detail : `${app} answered ${statusCode}.`);
}

function whyUnanswered({ code, message }: Error & { code?: string }, url: string, app: string): string {
  if (code === 'UND_ERR_HEADERS_TIMEOUT')
    return `${app} is still at it after ${REPLAY_TIMEOUT_MS / 1000} s; look at its log.`;
  if (code === 'ECONNREFUSED')
    return `${app} does not answer at ${new URL(url).origin}. Start it with \`npm start\`.`;
  return `The call of ${app} broke off (${message}). Look at its log; a rebuild can be asked for again.`;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        lossy: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new OperatorError(`${(error as Error).message}\n${help}`);
  }
}
