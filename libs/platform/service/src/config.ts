import { Inject } from '@nestjs/common';
import { z } from 'zod';
import { ACTOR_SECRET_BYTES_MIN } from '@atelier/auth';
import { LOG_FORMATS, LOG_LEVELS } from '@atelier/observability';

const MEBIBYTE = 1_048_576;

/** What every service reads from its environment. Units are in the names. */
export const serviceEnvironment = {
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  PORT: z.coerce.number().int().min(0).max(65_535),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  LOG_FORMAT: z.enum(LOG_FORMATS).default('json'),
  /** Shared by the gateway and the services; signs the actor header. */
  ACTOR_SECRET: z.string().min(ACTOR_SECRET_BYTES_MIN),
  /** How long requests in flight, and then each stage of the shutdown, may take. */
  DRAIN_TIMEOUT_MS: z.coerce.number().int().min(0).max(600_000).default(10_000),
  /** How long a request may take to arrive in full. Longer than at the gateway, or an upload is cut here first. */
  REQUEST_TIMEOUT_MS: z.coerce.number().int().min(1).max(3_600_000).default(180_000),
  BODY_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(1_024)
    .max(64 * MEBIBYTE)
    .default(MEBIBYTE),
  /** Requests that take longer are logged as a warning. */
  SLOW_REQUEST_MS: z.coerce.number().int().min(1).default(1_000),
};
export type ServiceEnvironment = z.infer<z.ZodObject<typeof serviceEnvironment>>;

/**
 * The environment of the running service as a record, and its injection token, for libraries that do not know the
 * app. An app injects its own config by `@InjectConfig(config)`, which is typed in full.
 */
export abstract class ServiceConfig implements ServiceEnvironment {
  readonly SERVICE_NAME!: string;
  readonly NODE_ENV!: ServiceEnvironment['NODE_ENV'];
  readonly HOST!: string;
  readonly PORT!: number;
  readonly LOG_LEVEL!: ServiceEnvironment['LOG_LEVEL'];
  readonly LOG_FORMAT!: ServiceEnvironment['LOG_FORMAT'];
  readonly ACTOR_SECRET!: string;
  readonly DRAIN_TIMEOUT_MS!: number;
  readonly REQUEST_TIMEOUT_MS!: number;
  readonly BODY_BYTES_MAX!: number;
  readonly SLOW_REQUEST_MS!: number;
  readonly [variable: string]: unknown;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration of one app: its name and everything that it reads from the environment. */
export interface ConfigDefinition<Values extends ServiceEnvironment = ServiceEnvironment> {
  readonly name: string;
  readonly schema: z.ZodType<Values>;
  /** The injection token; `@InjectConfig(config)` uses it. */
  readonly token: symbol;
  /** Throws a ConfigError that lists every problem at once, without any value. */
  load(env: Environment): Readonly<Values>;
}

export type ConfigOf<Definition extends { load(env: Environment): unknown }> = ReturnType<Definition['load']>;

/** All that is wrong with an environment, one line each. Values are never named: they may be secrets. */
export class ConfigError extends Error {
  constructor(
    service: string,
    readonly problems: readonly string[],
  ) {
    super(
      `${service} cannot start: its environment has ${problems.length} problem(s)\n${problems.join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

/**
 * Defines an app's environment: the shape of its own variables, on top of `serviceEnvironment`. `misfits` tells, by
 * variable, what must be otherwise because of the others: `must be longer than …`.
 */
export function defineConfig<Shape extends z.ZodRawShape>(
  name: string,
  shape: Shape,
  misfits: (
    values: z.infer<z.ZodObject<Omit<typeof serviceEnvironment, keyof Shape> & Shape>> & ServiceEnvironment,
  ) => Readonly<Record<string, string>> = () => ({}),
): ConfigDefinition<
  z.infer<z.ZodObject<Omit<typeof serviceEnvironment, keyof Shape> & Shape>> & ServiceEnvironment
> {
  type Values = z.infer<z.ZodObject<Omit<typeof serviceEnvironment, keyof Shape> & Shape>> &
    ServiceEnvironment;
  const merged: z.ZodRawShape = { ...serviceEnvironment, ...shape };
  const schema = z.object(merged).superRefine((values, context) => {
    for (const [variable, message] of Object.entries(misfits(values as Values)))
      context.addIssue({ code: 'custom', path: [variable], message });
  }) as unknown as z.ZodType<Values>;
  return {
    name,
    schema,
    token: Symbol(`config of ${name}`),
    load(env) {
      // A variable that is set to nothing is a variable that is not set.
      const given: Record<string, string> = {};
      for (const key of Object.keys(merged)) {
        const value = env[key]?.trim();
        if (value) given[key] = value;
      }
      const result = schema.safeParse(given);
      if (result.success) return Object.freeze(result.data);
      throw new ConfigError(
        name,
        result.error.issues.map((issue) => problemLine(issue, given)),
      );
    },
  };
}

function problemLine(issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  const variable = String(issue.path[0] ?? '(all)');
  const expects = issue.message
    .replace(/^Invalid \w+: expected /, 'expected ')
    .replace(/, received .*$/, '')
    .replace(/^Too (small|big): expected \w+ to (be|have) /, 'must $2 ');
  return variable in given ? `  ${variable} is invalid: ${expects}` : `  ${variable} is missing: ${expects}`;
}

/** `constructor(@InjectConfig(commerceConfig) private readonly config: ConfigOf<typeof commerceConfig>)` */
export const InjectConfig = (definition: { readonly token: symbol }) => Inject(definition.token);
