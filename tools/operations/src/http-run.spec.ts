import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseHttpFile } from './http-file.js';
import { runHttpFile, type Outcome } from './http-run.js';

const FILE = `# A story.
@base = http://127.0.0.1:8080
@token = {{made.response.body.token}}

### Make one
# @name made
# @expect 201 items[0].id=7
POST {{base}}/things
Content-Type: application/json
X-Secret: {{$processEnv SECRET}}

{ "name": "first" }

### Read it, when it is ready
# @expect 200 ready=true
GET {{base}}/things/{{made.response.body.items[0].id}}
Authorization: Bearer {{token}}
If-Match: {{made.response.headers.ETag}}
`;

let server: Server;
let origin: string;
let seen: { method: string; url: string; headers: NodeJS.Dict<string | string[]>; body: string }[];
let readyAfter: number;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body });
      const json = { 'content-type': 'application/json', etag: '"v1"' };
      if (method === 'POST') response.writeHead(201, json).end('{"token":"t1","items":[{"id":7}]}');
      else if (url === '/gone') response.writeHead(404, json).end('{"code":"gone"}');
      else response.writeHead(200, json).end(JSON.stringify({ ready: --readyAfter <= 0 }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  seen = [];
  readyAfter = 1;
});

async function run(text: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const around = {
    secret: (name: string) => (name === 'SECRET' ? 's3cret' : undefined),
    relocate: (url: string) => url.replace('http://127.0.0.1:8080', origin),
    attach: (file: string) => Buffer.from(`the bytes of ${file}`),
  };
  for await (const outcome of runHttpFile(parseHttpFile(text), around)) outcomes.push(outcome);
  return outcomes;
}

describe('a .http file', () => {
  it('is run in order, each request with what earlier answers said', async () => {
    const outcomes = await run(FILE);
    expect(outcomes.map(({ request, status, mismatch }) => [request.title, status, mismatch])).toEqual([
      ['Make one', 201, undefined],
      ['Read it, when it is ready', 200, undefined],
    ]);
    expect(seen[0]).toMatchObject({ body: '{ "name": "first" }', headers: { 'x-secret': 's3cret' } });
    expect(seen[1]).toMatchObject({
      url: '/things/7',
      headers: { authorization: 'Bearer t1', 'if-match': '"v1"' },
    });
  });

  it('asks a GET again until the answer is as expected', async () => {
    readyAfter = 3;
    expect((await run(FILE)).every(({ mismatch }) => mismatch === undefined)).toBe(true);
    expect(seen.filter(({ method }) => method === 'GET')).toHaveLength(3);
  });

  it('takes a file into a multipart body, whose lines end as on the wire', async () => {
    await run(`### A\nPOST ${origin}/x\nContent-Type: multipart/form-data\n\n--b\n\n< ./cat.png\n--b--\n`);
    expect(seen[0]?.body).toBe('--b\r\n\r\nthe bytes of ./cat.png\r\n--b--\r\n');
  });

  it('knows what time it is, and what time it was', async () => {
    await run(
      'GET http://127.0.0.1:8080/{{$datetime "YYYY" -400 d}}\n\n###\nGET http://127.0.0.1:8080/{{$datetime iso8601 -1 d}}\n',
    );
    const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
    expect([seen[0]!.url, seen[1]!.url.slice(0, 11)]).toEqual([
      `/${ago(400).slice(0, 4)}`,
      `/${ago(1).slice(0, 10)}`,
    ]);
  });

  it('stops at the first mismatch and says what came instead', async () => {
    const [first, ...more] = await run(`### A\n# @expect 200\nPOST ${origin}/x\n\n### B\nGET ${origin}/y\n`);
    expect(more).toEqual([]);
    expect(first?.mismatch).toMatch(/^expected 200, answered 201: .*"token":"t1"/);
  });

  it('takes any success where nothing is expected, and an error where it is', async () => {
    const text = `### A\nPOST ${origin}/x\n\n### B\n# @expect 404 code=gone\nGET ${origin}/gone\n`;
    expect((await run(text)).map(({ mismatch }) => mismatch)).toEqual([undefined, undefined]);
  });

  it('names the variable that nobody has, before anything is sent', async () => {
    const [outcome] = await run(`### A\nPOST ${origin}/{{nothing.response.body.id}}\n`);
    expect(outcome?.mismatch).toContain('{{nothing.response.body.id}} is not known');
    expect(seen).toEqual([]);
  });

  it.each([
    ['FETCH /x', 'is no request'],
    ['# @expect soon\nGET /x', 'is no status'],
    ['# @expect 200 ready\nGET /x', 'is not field=value'],
    ['GET /x\nno header', 'is no header'],
  ])('with %j is refused with the line', (text, words) => {
    expect(() => parseHttpFile(`### A\n${text}\n`)).toThrow(words);
  });
});
