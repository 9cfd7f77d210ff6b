import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type Actor } from '@atelier/kernel';
import { OpenApiDocument } from '@atelier/service';
import type { Answer, ServiceUnderTest } from './service.js';

/** Not reached: refused at the edge, before the use case asked anything. */
const REFUSED_AT_THE_EDGE = [400, 401, 403, 405, 415, 428];

interface View {
  parse(answer: unknown): unknown;
}

/** A walk through a service that leaves nothing out. */
export interface Walk {
  /**
   * Calls a route: `call(user, 'GET', '/api/v1/prompts/<prm_…>')`, ids in angle brackets. It must get as far as its
   * use case; an answer that is given with a view must be one.
   */
  call(actor: Actor, method: Method, path: string, more?: Call): Promise<Answer['body']>;
  /** Throws and names the routes under `/api` that nobody called, and the reactions that had no fact. */
  expectNothingLeftOut(): Promise<void>;
}
type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
interface Call {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly view?: View;
}

export function walk(service: ServiceUnderTest): Walk {
  const called = new Set<string>();
  return {
    async call(actor, method, path, { body, headers, view } = {}) {
      const [bare = ''] = path.split('?');
      const client = service.as(actor);
      const url = path.replace(/[<>]/g, '');
      const keyed = { 'idempotency-key': newId('t'), ...headers };
      const send = {
        GET: () => client.get(url),
        POST: () => client.post(url, body, keyed),
        PATCH: () => client.patch(url, body, headers),
        PUT: () => client.put(url, body, headers),
        DELETE: () => client.delete(url, headers),
      }[method];
      const answer = await send();
      if (answer.status >= 500 || REFUSED_AT_THE_EDGE.includes(answer.status)) {
        throw new Error(`${method} ${url} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      }
      called.add(`${method} ${bare.replace(/<[^>]+>/g, '{}')}`);
      view?.parse(answer.body);
      return answer.body as unknown;
    },
    async expectNothingLeftOut() {
      const inbox = await service.database.connection.collection('_inbox').find({}).toArray();
      const reacted = new Set(inbox.map(({ _id }) => String(_id).split(':')[0]!));
      const left = [
        ...(await routesOf(service)).filter((route) => !called.has(route)),
        ...(await reactionsOf(service.database.app)).filter((reaction) => !reacted.has(reaction)),
      ];
      if (left.length > 0) throw new Error(`The walk leaves out ${left.join(', ')}.`);
    },
  };
}

/** As the service itself documents them. */
async function routesOf(service: ServiceUnderTest): Promise<string[]> {
  const { paths } = await service.app.get(OpenApiDocument, { strict: false }).get();
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/api/'))
    .flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace(/\{[^}]+\}/g, '{}')}`),
    );
}

async function reactionsOf(app: string): Promise<string[]> {
  const sources = join(process.cwd(), 'apps', app, 'src');
  const ids: string[] = [];
  for await (const file of glob('**/*.{consumer,projection}.ts', { cwd: sources })) {
    const source = await readFile(join(sources, file), 'utf8');
    ids.push(...[...source.matchAll(/\bid: '([a-z]+\.[a-z-]+)'/g)].map(([, id]) => id!));
  }
  return ids;
}
