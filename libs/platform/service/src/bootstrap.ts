import type { Type } from '@nestjs/common';
import { createLogger, stopTelemetry, type Logger } from '@atelier/observability';
import {
  ConfigError,
  ServiceConfig,
  serviceEnvironment,
  type ConfigDefinition,
  type ServiceEnvironment,
} from './config.js';
import { createService, type RunningService, type ServiceOptions } from './create-service.js';
import { within } from './shutdown.js';

const TELEMETRY_TIMEOUT_MS = 3_000;
const EXIT_BY_SECOND_SIGNAL = 130;
/** Requests, the four stages and the container: each has `DRAIN_TIMEOUT_MS`; then the process ends anyway. */
const STEPS_OF_SHUTDOWN = 6;

/**
 * The `main` of every service: `await bootstrap(CommerceModule, commerceConfig)`. Exits with 1 when the service
 * cannot start or meets an error that nobody caught, with 0 after a signal and a clean drain, or with the
 * `process.exitCode` that was set before. A shutdown that hangs ends with 1; a second signal exits at once.
 */
export async function bootstrap<Values extends ServiceEnvironment>(
  appModule: Type<unknown>,
  definition: ConfigDefinition<Values>,
  options: ServiceOptions = {},
): Promise<void> {
  // For what is said before the environment is known to be valid, and when it is not.
  const logger = createLogger(definition.name, {
    level: serviceEnvironment.LOG_LEVEL.catch('info').parse(process.env.LOG_LEVEL),
    format: serviceEnvironment.LOG_FORMAT.catch('json').parse(process.env.LOG_FORMAT),
  });
  exitOnFault(logger);
  const starting = createService(appModule, definition, process.env, options);
  exitOnSignal(logger, starting);
  try {
    await starting;
  } catch (err) {
    if (err instanceof ConfigError) process.stderr.write(`${err.message}\n`);
    else logger.fatal({ err }, 'cannot start');
    process.exit(1);
  }
}

/** A signal during the start waits until the start is over: what is half open cannot be closed in order. */
function exitOnSignal(logger: Logger, starting: Promise<RunningService>): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) process.exit(EXIT_BY_SECOND_SIGNAL);
    stopping = true;
    const service = await starting;
    service.logger.info({ signal }, 'stopping');
    const { DRAIN_TIMEOUT_MS } = service.app.get(ServiceConfig);
    exitAfter(DRAIN_TIMEOUT_MS * STEPS_OF_SHUTDOWN + TELEMETRY_TIMEOUT_MS, logger);
    try {
      await service.close();
      await flushTelemetry(logger);
      // Somebody may have sent the signal to itself because of a fault.
      process.exit(process.exitCode ?? 0);
    } catch (err) {
      logger.fatal({ err }, 'the shutdown failed');
      process.exit(1);
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, (name) => void stop(name));
}

function exitAfter(limitMs: number, logger: Logger): void {
  const exit = () => {
    logger.fatal({ limitMs }, 'the shutdown did not end; what hangs is left behind');
    process.exit(1);
  };
  setTimeout(exit, limitMs).unref();
}

/** Lost spans are no reason to call the shutdown failed. */
async function flushTelemetry(logger: Logger): Promise<void> {
  try {
    await within(TELEMETRY_TIMEOUT_MS, stopTelemetry());
  } catch (err) {
    logger.warn({ err }, 'the last spans could not be sent');
  }
}

/** After an error that nobody caught the state is unknown: the supervisor starts a fresh process. */
function exitOnFault(logger: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (err: unknown) => {
      logger.fatal({ err }, event);
      process.exit(1);
    });
}
