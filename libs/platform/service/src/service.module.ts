import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { ActorGuard, ActorSigner, ActorVerifier } from '@atelier/auth';
import { Clock, SystemClock } from '@atelier/kernel';
import { Logger } from '@atelier/observability';
import { ServiceConfig, type ConfigDefinition, type ServiceEnvironment } from './config.js';
import { ContextInterceptor } from './context.interceptor.js';
import { HealthController } from './health.controller.js';
import { HealthRegistry } from './health.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { OpenApiDocument } from './openapi.js';
import { PageLinkInterceptor } from './pagination.js';
import { ProblemFilter } from './problem.filter.js';
import { RouteTable } from './route-table.js';
import { ShutdownSequence } from './shutdown.js';
import { UnreadInputInterceptor } from './unread-input.interceptor.js';
import { RequestValidationPipe } from './validation.js';

export interface ServiceModuleOptions {
  readonly definition: ConfigDefinition;
  readonly values: ServiceEnvironment;
  readonly logger: Logger;
  readonly overrides: readonly Provider[];
}

/** What every provider of every module of a service may inject, and what stands around every route. */
@Module({})
export class ServiceModule {
  static forService({ definition, values, logger, overrides }: ServiceModuleOptions): DynamicModule {
    const { name, token } = definition;
    const shared: Provider[] = [
      { provide: token, useValue: values },
      { provide: ServiceConfig, useValue: { ...values, SERVICE_NAME: name } },
      { provide: Logger, useValue: logger },
      { provide: Clock, useClass: SystemClock },
      { provide: HealthRegistry, useValue: new HealthRegistry() },
      { provide: ShutdownSequence, useValue: new ShutdownSequence(logger, values.DRAIN_TIMEOUT_MS) },
      { provide: OpenApiDocument, useValue: new OpenApiDocument() },
      { provide: RouteTable, useValue: new RouteTable() },
      { provide: ActorVerifier, useValue: new ActorVerifier(values.ACTOR_SECRET) },
      { provide: ActorSigner, useValue: new ActorSigner(values.ACTOR_SECRET, { issuer: name }) },
      ...overrides,
    ];
    return {
      module: ServiceModule,
      global: true,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [
        ...shared,
        { provide: APP_GUARD, useClass: ActorGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useClass: RequestValidationPipe },
        { provide: APP_INTERCEPTOR, useClass: UnreadInputInterceptor },
        // In this order: the key is claimed before the context is made current, since it becomes part of it.
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ContextInterceptor },
        { provide: APP_INTERCEPTOR, useClass: PageLinkInterceptor },
      ],
      exports: [
        ...new Set(shared.map((provider) => (typeof provider === 'function' ? provider : provider.provide))),
      ],
    };
  }
}
