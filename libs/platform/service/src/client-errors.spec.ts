import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Controller, Module, Post } from '@nestjs/common';
import { OutsideGateway } from '@atelier/auth';
import { createLogger, Logger } from '@atelier/observability';
import { defineConfig } from './config.js';
import { createService, type RunningService } from './create-service.js';

const RAW_TIMEOUT_MS = 5_000;

@OutsideGateway()
@Controller('orders')
class OrdersController {
  @Post()
  create() {
    return {};
  }
}

@Module({ controllers: [OrdersController] })
class OrdersModule {}

const lines: string[] = [];
let service: RunningService;
beforeAll(async () => {
  const logger = createLogger('spec', { destination: { write: (line) => void lines.push(line) } });
  service = await createService(
    OrdersModule,
    defineConfig('spec', {}),
    { PORT: '0', ACTOR_SECRET: 'a-secret-of-at-least-thirty-two-bytes!' },
    { overrides: [{ provide: Logger, useValue: logger }] },
  );
});
afterAll(() => service.close());

/** Sends bytes as they are, and gives what came back until the connection ended. */
async function sendRaw(...parts: string[]): Promise<string> {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => undefined);
  socket.setTimeout(RAW_TIMEOUT_MS, () => socket.destroy());
  for (const [index, part] of parts.entries()) {
    if (index > 0) await once(socket, 'data');
    socket.write(part);
  }
  await once(socket, 'close');
  return text;
}

describe('what no handler sees', () => {
  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'platform.request.malformed'],
    [
      'headers too large',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'platform.request.headers_too_large',
    ],
  ])('is answered with a problem, on a used connection too: %s', async (_, bytes, status, code) => {
    const answered = 'GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n';
    for (const parts of [[bytes], [answered, bytes]]) {
      const text = await sendRaw(...parts);
      const last = text.slice(text.lastIndexOf('HTTP/1.1 '));
      expect(last).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*application/problem\\+json`));
      expect(last).toContain(`"code":"${code}"`);
    }
  });

  it('is no fault of ours: a body that its client breaks off', async () => {
    const broken = new Promise<void>((resolve) => {
      service.app.getHttpServer().once('request', (request: IncomingMessage) => {
        request.once('error', () => setTimeout(resolve));
      });
    });
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    const logged = lines.length;
    socket.write(
      'POST /orders HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
      () => setImmediate(() => socket.resetAndDestroy()),
    );
    await broken;
    expect(lines.slice(logged).join()).not.toContain('a request failed');
  });
});
