import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpFile, HttpRequest } from './http-file.js';

const REQUEST_TIMEOUT_MS = 15_000;
/** What a service hears from another is there soon, but not at once: a GET is asked again for this long. */
const SOON_MS = 15_000;
const POLL_MS = 200;
const DETAIL_CHARS_MAX = 200;

export interface Around {
  /** What `{{$processEnv NAME}}` and `{{$dotenv NAME}}` stand for. */
  readonly secret: (name: string) => string | undefined | Promise<string | undefined>;
  /** Where what the file says is: its addresses are those of `npm start`. */
  readonly relocate: (url: string) => string;
  /** What `< ./picture.png` in a body stands for. */
  readonly attach: (file: string) => Buffer;
}

export interface Outcome {
  readonly request: HttpRequest;
  readonly status: number;
  readonly durationMs: number;
  /** What was wrong; undefined when it went as expected. */
  readonly mismatch: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Sends the requests of a file in order, each with what earlier answers said; stops at the first that goes wrong. */
export async function* runHttpFile(file: HttpFile, around: Around): AsyncGenerator<Outcome> {
  const answers = new Map<string, Answer>();
  const variables = new Map(file.variables);
  const fill = (text: string) => fillIn(text, variables, answers, around);
  for (const request of file.requests) {
    const startedAt = Date.now();
    const done = (status: number, mismatch?: string): Outcome => {
      return { request, status, durationMs: Date.now() - startedAt, mismatch };
    };
    try {
      let answer = await send(request, fill, around);
      let mismatch = differs(request, answer);
      while (mismatch && request.method === 'GET' && Date.now() - startedAt < SOON_MS) {
        await sleep(POLL_MS);
        answer = await send(request, fill, around);
        mismatch = differs(request, answer);
      }
      if (request.name) answers.set(request.name, answer);
      yield done(answer.status, mismatch);
      if (mismatch) return;
    } catch (error) {
      yield done(0, (error as Error).message);
      return;
    }
  }
}

async function send(
  request: HttpRequest,
  fill: (text: string) => Promise<string>,
  { relocate, attach }: Around,
): Promise<Answer> {
  const headers: [string, string][] = [];
  for (const [name, value] of request.headers) headers.push([name, await fill(value)]);
  const response = await fetch(relocate(await fill(request.url)), {
    method: request.method,
    headers,
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    ...(request.body === undefined ? {} : { body: bodyOf(await fill(request.body), attach) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? (JSON.parse(text) as unknown) : text,
  };
}

const ATTACHED = /^< (.+)$/;

/** The text, unless it takes in files: that is multipart, whose lines end as on the wire (RFC 2046). */
function bodyOf(text: string, attach: Around['attach']): string | Buffer {
  const lines = text.split('\n');
  if (!lines.some((line) => ATTACHED.test(line))) return text;
  const bytes = lines.map((line) => {
    const file = ATTACHED.exec(line)?.[1];
    return file === undefined ? Buffer.from(line) : attach(file);
  });
  return Buffer.concat(bytes.flatMap((line) => [line, Buffer.from('\r\n')]));
}

/** Without an expectation, any answer that is no error will do. */
function differs({ expect }: HttpRequest, { status, body }: Answer): string | undefined {
  const told = () => JSON.stringify(body).slice(0, DETAIL_CHARS_MAX);
  if (expect ? status !== expect.status : status >= 400)
    return `expected ${expect?.status ?? 'a success'}, answered ${status}: ${told()}`;
  const wrong = expect?.fields.find(([path, value]) => asText(at(body, path)) !== value);
  return wrong && `expected ${wrong.join('=')}, answered ${told()}`;
}

const INSERT = /\{\{\s*(\$?[\w.[\]-]+)\s*([^}]*?)\s*\}\}/g;

async function fillIn(
  text: string,
  variables: ReadonlyMap<string, string>,
  answers: ReadonlyMap<string, Answer>,
  around: Around,
): Promise<string> {
  let filled = '';
  let end = 0;
  for (const match of text.matchAll(INSERT)) {
    const [whole, name = '', argument = ''] = match;
    filled += text.slice(end, match.index);
    end = match.index + whole.length;
    const variable = variables.get(name);
    if (variable !== undefined) filled += await fillIn(variable, variables, answers, around);
    else if (name === '$guid') filled += randomUUID();
    else if (name === '$timestamp') filled += String(Date.now());
    else if (name === '$datetime') filled += momentOf(argument);
    else filled += (await valueOf(name, argument, answers, around)) ?? missing(whole);
  }
  return filled + text.slice(end);
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `iso8601 30 m`: half an hour from now; `"YYYY"`: the year. */
function momentOf(argument: string): string {
  const [, format, amount = '0', unit = 's'] =
    /^(iso8601|"YYYY")(?: (-?\d+) ([smhd]))?$/.exec(argument) ?? missing(argument);
  const moment = new Date(Date.now() + Number(amount) * UNIT_MS[unit]!);
  return format === 'iso8601' ? moment.toISOString() : String(moment.getUTCFullYear());
}

async function valueOf(
  name: string,
  argument: string,
  answers: ReadonlyMap<string, Answer>,
  { secret }: Around,
): Promise<string | undefined> {
  if (name === '$processEnv' || name === '$dotenv') return secret(argument);
  const [, of = '', part, path = ''] = /^(\w+)\.response\.(body|headers)\.(.+)$/.exec(name) ?? [];
  const answer = answers.get(of);
  if (!answer) return undefined;
  return part === 'headers' ? (answer.headers.get(path) ?? undefined) : asText(at(answer.body, path));
}

const missing = (what: string): never => {
  throw new Error(`${what} is not known: no variable, and no earlier answer has it.`);
};

/** `items[0].id` of a JSON value. */
const at = (value: unknown, path: string): unknown =>
  path
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .filter((key) => key !== '' && key !== '$')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], value);

const asText = (value: unknown): string | undefined =>
  value === undefined ? undefined : typeof value === 'string' ? value : JSON.stringify(value);
