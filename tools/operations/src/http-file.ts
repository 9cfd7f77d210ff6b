/** One request of a `.http` file, as it is written; `{{…}}` is filled when it is sent. */
export interface HttpRequest {
  readonly title: string;
  /** Its answer is known to later requests by this: `# @name purchase`. */
  readonly name: string | undefined;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
  /** `# @expect 200 available=50`: the status, and fields of the answer. */
  readonly expect:
    { readonly status: number; readonly fields: readonly (readonly [string, string])[] } | undefined;
}

export interface HttpFile {
  /** `@base = …`, in order. */
  readonly variables: readonly (readonly [string, string])[];
  readonly requests: readonly HttpRequest[];
}

const VARIABLE = /^@([\w-]+)\s*=\s*(.*)$/;
const REQUEST = /^(GET|POST|PUT|PATCH|DELETE) (\S.*)$/;

/** Reads what the REST clients of VS Code and JetBrains read. @throws Error with the line that is no request */
export function parseHttpFile(text: string): HttpFile {
  const variables: [string, string][] = [];
  const requests: HttpRequest[] = [];
  for (const [index, part] of text.split(/^###/m).entries()) {
    const lines = part.split('\n');
    const title = index === 0 ? '' : lines.shift()!.trim();
    const request = parseRequest(title, lines, variables);
    if (request) requests.push(request);
  }
  return { variables, requests };
}

function parseRequest(
  title: string,
  lines: readonly string[],
  variables: [string, string][],
): HttpRequest | undefined {
  let name: string | undefined;
  let expect: HttpRequest['expect'];
  let start: RegExpExecArray | undefined;
  const headers: [string, string][] = [];
  const body: string[] = [];
  let inBody = false;
  for (const line of lines) {
    if (inBody) body.push(line);
    else if (start && line.trim() === '') inBody = true;
    else if (line.startsWith('#') || line.startsWith('//')) {
      const [, key, value = ''] = /@(name|expect)\s+(.*)$/.exec(line) ?? [];
      if (key === 'name') name = value.trim();
      if (key === 'expect') expect = parseExpectation(value);
    } else if (start) {
      const colon = line.indexOf(':');
      if (colon < 1) throw new Error(`"${line}" is no header.`);
      headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
    } else if (line.trim() !== '') {
      const variable = VARIABLE.exec(line);
      start = REQUEST.exec(line.trim()) ?? undefined;
      if (variable) variables.push([variable[1]!, variable[2]!.trim()]);
      else if (!start) throw new Error(`"${line}" is no request: METHOD URL.`);
    }
  }
  if (!start) return undefined;
  const text = body.join('\n').trim();
  return { title, name, method: start[1]!, url: start[2]!, headers, body: text || undefined, expect };
}

function parseExpectation(text: string): HttpRequest['expect'] {
  const [status = '', ...fields] = text.trim().split(/\s+/);
  const pairs = fields.map((field) => {
    const [path = '', value] = field.split('=', 2);
    if (value === undefined) throw new Error(`@expect ${text}: "${field}" is not field=value.`);
    return [path, value] as const;
  });
  if (!/^[1-5]\d\d$/.test(status)) throw new Error(`@expect ${text}: "${status}" is no status.`);
  return { status: Number(status), fields: pairs };
}
