import { createLogger, type LoggerOptions } from './logger.js';
import { runInContext } from './context.js';
import { newTraceparent } from './tracing.js';

function linesOf(
  write: (logger: ReturnType<typeof createLogger>) => void,
  options: LoggerOptions = {},
): string[] {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  write(createLogger('spec', { level: 'trace', destination, ...options }));
  return lines;
}

const only = (lines: string[]) => JSON.parse(lines[0]!) as Record<string, unknown>;

describe('createLogger', () => {
  it.each([
    [{ headers: { authorization: 'Bearer s3cr3t', cookie: 'sid=s3cr3t' } }],
    [{ user: { profile: { passwordHash: 's3cr3t', apiKey: 's3cr3t' } } }],
    [{ list: [{ refreshToken: 's3cr3t' }, { cardNumber: 's3cr3t' }] }],
    [{ client_secret: 's3cr3t', nested: new Map([['accessToken', 's3cr3t']]) }],
    [{ err: Object.assign(new Error('failed'), { config: { headers: { 'x-api-key': 's3cr3t' } } }) }],
  ])('never writes a secret that stands under a telling key, at any depth: %j', (fields) => {
    expect(linesOf((logger) => logger.info(fields, 'x')).join()).not.toContain('s3cr3t');
  });

  it('removes credentials of headers, JWTs and connection passwords from text', () => {
    const lines = linesOf((logger) => {
      logger.warn('got Bearer abc.s3cr3t from mongodb://root:s3cr3t@db:27017/x');
      logger.warn(
        'sent Authorization: Basic dXNlcjpzM2NyM3Q= to redis://:s3cr3t@cache:6379, on the Basic plan',
      );
      logger.error({ err: new Error('token eyJhbGciOi.eyJzdWIiOi.s3cr3t refused') });
    });
    expect(lines.join()).not.toMatch(/s3cr3t|dXNlcjpz/);
    for (const kept of ['@db:27017/x', '@cache:6379', 'on the Basic plan'])
      expect(lines.join()).toContain(kept);
  });

  it('blanks secrets in the fields of a child log too', () => {
    expect(linesOf((logger) => logger.child({ token: 's3cr3t' }).info('x')).join()).not.toContain('s3cr3t');
  });

  it('keeps what is no secret: ids of tokens, names, numbers', () => {
    const line = only(
      linesOf((logger) => logger.info({ tokenId: 'tok_1', amount: 12n, title: 'card games' }, 'x')),
    );
    expect(line).toMatchObject({ tokenId: 'tok_1', amount: '12', title: 'card games', service: 'spec' });
  });

  it('writes the stack and the cause of an error', () => {
    const line = only(
      linesOf((logger) => logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed')),
    );
    expect(line.err).toMatchObject({ type: 'Error', message: 'outer', cause: { message: 'inner' } });
    expect((line.err as { stack: string }).stack).toContain('logger.spec');
  });

  it('survives a value that contains itself', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(linesOf((logger) => logger.info({ loop }, 'x'))).toHaveLength(1);
  });

  it('adds the correlation and trace ids of the running work', () => {
    const traceparent = newTraceparent();
    const context = {
      actor: { kind: 'user' as const, id: 'usr_1' },
      correlationId: 'cor_1',
      causationId: 'req_1',
      traceparent,
    };
    const line = only(linesOf((logger) => runInContext(context, () => logger.info('x'))));
    expect(line).toMatchObject({
      correlationId: 'cor_1',
      actor: 'user:usr_1',
      traceId: traceparent.split('-')[1],
    });
  });

  it('writes one readable line when asked for pretty, with the error below it', () => {
    const [line] = linesOf((logger) => logger.error({ err: new Error('boom'), port: 1 }, 'failed'), {
      format: 'pretty',
    });
    expect(line).toMatch(/^\S+ error spec failed .*port=1/);
    expect(line).toContain('Error: boom');
  });
});
