import type { IncomingMessage } from 'node:http';
import { Module, type Provider, type Type } from '@nestjs/common';
import { ModuleRef, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isWellFormedId } from '@atelier/auth';
import { DomainError, newId } from '@atelier/kernel';
import { createLogger, Logger, NestLogger } from '@atelier/observability';
import { answerClientError } from './client-errors.js';
import type { ConfigDefinition, ServiceEnvironment } from './config.js';
import { HealthRegistry } from './health.js';
import { MessagingTransport } from './messaging-transport.js';
import { OpenApiDocument } from './openapi.js';
import { findOptional } from './optional-provider.js';
import { sendProblem } from './problem.js';
import { recordRequests } from './request-log.js';
import { RouteTable } from './route-table.js';
import { ServiceModule } from './service.module.js';
import { ShutdownSequence, within } from './shutdown.js';

const PATH_PARAMETER_CHARS_MAX = 256;
/** How often connections that have become idle are closed while draining. */
const IDLE_CLOSE_MS = 100;
/** Deeper than any contract; validation, hashing and logging follow a body by recursion. */
const JSON_DEPTH_MAX = 64;

export interface ServiceOptions {
  /** Providers that replace or add to the global ones: another Clock, a Logger. */
  readonly overrides?: readonly Provider[];
  /** Before the routes are made: to register a Fastify plugin, such as multipart. */
  readonly configure?: (app: NestFastifyApplication) => Promise<void> | void;
}

/** A running service. */
export interface RunningService {
  readonly app: NestFastifyApplication;
  readonly logger: Logger;
  /** Where it listens: `http://127.0.0.1:8083`. */
  readonly url: string;
  /** Drains and stops everything in order. Calling it again waits for the same. */
  close(): Promise<void>;
}

/**
 * Builds a service and lets it listen, without touching the process: tests use this, and `bootstrap` adds the
 * signals. Throws a ConfigError for a bad environment.
 */
export async function createService<Values extends ServiceEnvironment>(
  appModule: Type<unknown>,
  definition: ConfigDefinition<Values>,
  env: Readonly<Record<string, string | undefined>>,
  options: ServiceOptions = {},
): Promise<RunningService> {
  const values = definition.load(env);
  const app = await createApp(appModule, definition, values, options);
  const logger = app.get(Logger);
  const fastify = app.getHttpAdapter().getInstance();
  try {
    app.get(RouteTable).watch(fastify);
    recordRequests(fastify, definition.name, logger, values.SLOW_REQUEST_MS);
    onlyJson(app, fastify, values.BODY_BYTES_MAX);
    closeConnectionsWhileDraining(fastify, app.get(HealthRegistry));
    await options.configure?.(app);
    const messaging = connectMessaging(app);
    app.get(OpenApiDocument).describe(app, definition.name);
    // The hooks run first: a consumer needs its collections and indexes before its first event.
    await app.init();
    if (messaging) await app.startAllMicroservices();
    await app.listen(values.PORT, values.HOST);
  } catch (error) {
    await app.get(ShutdownSequence).run();
    await app.close().catch((err: unknown) => logger.error({ err }, 'what had started could not be closed'));
    throw error;
  }
  app.get(HealthRegistry).started();
  const url = await app.getUrl();
  logger.info({ url }, 'listening');
  let closing: Promise<void> | undefined;
  return { app, logger, url, close: () => (closing ??= drain(app, values.DRAIN_TIMEOUT_MS, logger)) };
}

async function createApp(
  appModule: Type<unknown>,
  definition: ConfigDefinition,
  values: ServiceEnvironment,
  options: ServiceOptions,
): Promise<NestFastifyApplication> {
  const logger = createLogger(definition.name, { level: values.LOG_LEVEL, format: values.LOG_FORMAT });
  const service = ServiceModule.forService({
    definition,
    values,
    logger,
    overrides: options.overrides ?? [],
  });
  @Module({ imports: [service, appModule] })
  class RootModule {}
  const adapter = new FastifyAdapter({
    bodyLimit: values.BODY_BYTES_MAX,
    requestTimeout: values.REQUEST_TIMEOUT_MS,
    clientErrorHandler: answerClientError,
    routerOptions: { maxParamLength: PATH_PARAMETER_CHARS_MAX },
    // What the router refuses before any route or filter is known, such as a path that is no URL.
    frameworkErrors: sendProblem,
    genReqId: ({ headers }: IncomingMessage) => {
      const given = headers['x-request-id'];
      return isWellFormedId(given) ? given : newId('req');
    },
  });
  return NestFactory.create<NestFastifyApplication>(RootModule, adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
    // Signed webhooks are verified over the bytes as they came.
    rawBody: true,
    abortOnError: false,
  });
}

/** Forms and plain text are refused with 415: a browser sends those across sites without asking. */
function onlyJson(app: NestFastifyApplication, fastify: FastifyInstance, bodyLimit: number): void {
  fastify.removeAllContentTypeParsers();
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  app.useBodyParser('application/json', { bodyLimit }, (request, body, done) => {
    // Many clients name the type on a request without a body, such as a DELETE.
    if (body.length === 0) done(null, undefined);
    else
      void parseJson(request as FastifyRequest, body.toString(), (error, value: unknown) =>
        done(error ?? unfit(value) ?? null, value),
      );
  });
}

/** Why nobody may go on with what was parsed. Level by level: recursion would overflow on what is to be refused here. */
function unfit(value: unknown): DomainError | undefined {
  let level = [value];
  for (let depth = 1; level.length > 0; depth++) {
    const objects = level.filter((item) => typeof item === 'object' && item !== null);
    if (objects.length > 0 && depth > JSON_DEPTH_MAX)
      return malformed(`The JSON is nested too deeply: at most ${JSON_DEPTH_MAX} levels.`);
    // No database gives these back as they came.
    if (level.some((item) => typeof item === 'string' && (!item.isWellFormed() || item.includes('\0'))))
      return malformed(
        'The JSON has text with half a surrogate pair or with a NUL: send Unicode text without NUL.',
      );
    level = objects.flatMap((item) => Object.entries(item).flat() as unknown[]);
  }
  return undefined;
}

const malformed = (detail: string) =>
  new DomainError({ kind: 'invalid', code: 'platform.request.malformed', detail });

function closeConnectionsWhileDraining(fastify: FastifyInstance, health: HealthRegistry): void {
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (health.draining) reply.header('connection', 'close');
    done(null, payload);
  });
}

function connectMessaging(app: NestFastifyApplication): boolean {
  const transport = findOptional(app.get(ModuleRef), MessagingTransport);
  if (!transport) return false;
  // Messages pass none of the guards and interceptors of HTTP: the transport brings its own.
  app.connectMicroservice({ strategy: transport });
  app.get(ShutdownSequence).add('consumers', 'messaging transport', () => transport.close());
  return true;
}

async function drain(app: NestFastifyApplication, timeoutMs: number, logger: Logger): Promise<void> {
  app.get(HealthRegistry).drain();
  const server = app.getHttpServer();
  const answered = new Promise<void>((resolve) => void server.close(() => resolve()));
  // Again and again: an answer that was begun before has not told its client that the connection ends with it.
  const closing = setInterval(() => server.closeIdleConnections(), IDLE_CLOSE_MS);
  try {
    await within(timeoutMs, answered);
  } catch {
    logger.warn(
      { timeoutMs },
      'requests were still running when the drain time was over; their connections are cut',
    );
    server.closeAllConnections();
  } finally {
    clearInterval(closing);
  }
  await app.get(ShutdownSequence).run();
  await app.close();
}
