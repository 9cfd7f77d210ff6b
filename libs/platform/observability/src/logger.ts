import { pino, type DestinationStream } from 'pino';
import { currentContext } from './context.js';
import { prettyLine } from './pretty.js';
import { redact, redactText } from './redaction.js';
import { currentTraceparent } from './tracing.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Fields first, then a message without values in it, so that equal lines can be counted. */
export interface LogMethod {
  (fields: object, message?: string): void;
  (message: string): void;
}

/** The log, and its injection token. Give errors as `{ err }`. */
export abstract class Logger {
  abstract readonly fatal: LogMethod;
  abstract readonly error: LogMethod;
  abstract readonly warn: LogMethod;
  abstract readonly info: LogMethod;
  abstract readonly debug: LogMethod;
  abstract readonly trace: LogMethod;
  /** A log that adds these fields to each line. */
  abstract child(fields: Record<string, unknown>): Logger;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  /** Where the lines go; standard output when left out. */
  readonly destination?: DestinationStream;
}

/**
 * The log of a service: one JSON object per line (pino), or one readable line with `pretty`. Each line carries
 * the correlation and trace ids of the work it belongs to. Secrets are removed by the name of their key at any
 * depth, and tokens and connection passwords inside text as well.
 */
export function createLogger(service: string, options: LoggerOptions = {}): Logger {
  const { level = 'info', format = 'json' } = options;
  // Synchronous: the lines before a crash are the ones that are wanted.
  const output = options.destination ?? pino.destination({ dest: 1, sync: true });
  const colours = !process.env.NO_COLOR && (process.stdout.isTTY || Boolean(process.env.FORCE_COLOR));
  const destination =
    format === 'json' ? output : { write: (line: string) => output.write(prettyLine(line, colours)) };
  const logger = pino(
    {
      level,
      base: { service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      mixin: workFields,
      formatters: { log: redactFields },
      // Errors arrive here already spelled out and cleaned by the formatter.
      serializers: { err: (value: unknown) => value },
      hooks: { streamWrite: redactText },
    },
    destination,
  );
  return withCleanChildren(logger);
}

/** pino passes a child's fields through no formatter, so they are cleaned before it sees them. */
function withCleanChildren(logger: Logger): Logger {
  const child = logger.child.bind(logger);
  logger.child = (fields) => withCleanChildren(child(redact(fields) as Record<string, unknown>));
  return logger;
}

const redactFields = (fields: Record<string, unknown>) => redact(fields) as Record<string, unknown>;

function workFields(): Record<string, unknown> {
  const context = currentContext();
  const traceId = currentTraceparent()?.split('-')[1];
  return {
    ...(context
      ? { correlationId: context.correlationId, actor: `${context.actor.kind}:${context.actor.id}` }
      : {}),
    ...(traceId ? { traceId } : {}),
  };
}
