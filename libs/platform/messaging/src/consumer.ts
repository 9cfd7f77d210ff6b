import {
  applyDecorators,
  Catch,
  Controller,
  UseFilters,
  type ArgumentsHost,
  type RpcExceptionFilter,
} from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { Context, EventDefinition, EventEnvelope } from '@atelier/kernel';

/** The envelope of a defined fact: `EventOf<typeof PurchaseCompleted>`. */
export type EventOf<Definition> =
  Definition extends EventDefinition<infer Data> ? EventEnvelope<Data> : never;

/** What a consumer class implements. One call and nothing else: the runner does the rest. */
export interface Consumes<Definition> {
  /** Runs in the transaction that also notes the event as handled; throw to have it retried. */
  handle(event: EventOf<Definition>, context: Context): Promise<void>;
}

/** A consumer that only writes `view_…` documents and can be rebuilt by reading its topics again. */
export interface Projects<Definition> extends Consumes<Definition> {
  /** Empties the view. */
  reset(): Promise<void>;
}

export interface ConsumerOptions {
  /** `<app>.on-<event>`: the inbox key, the span and the metric label. Never rename one that has run. */
  readonly id: string;
  /** `<app>.<feature>`. Consumers of one group share its offsets; a projection has a group of its own. */
  readonly group: string;
  // why: a consumer may take several facts, whose data types differ.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly consumes: EventDefinition<any> | readonly EventDefinition<any>[];
  /** When an event fails for good, later ones of the same key wait behind it in the dead letters. */
  readonly ordered?: boolean;
}

export interface RegisteredConsumer extends Omit<ConsumerOptions, 'consumes'> {
  readonly consumes: readonly EventDefinition[];
  readonly kind: 'reaction' | 'projection';
}

/** Nest would turn an error into a message for a remote caller; the runner needs the error itself. */
@Catch()
class Rethrow implements RpcExceptionFilter {
  catch(error: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => error);
  }
}

/** Marks a class as a reaction: event in, one use case. List it in its module's `controllers`. */
export const Consumer = (options: ConsumerOptions): ClassDecorator => register(options, 'reaction');

/** Marks a class as a projection: event in, view out, never an event. List it in its module's `controllers`. */
export const Projection = (options: ConsumerOptions): ClassDecorator => register(options, 'projection');

function register(options: ConsumerOptions, kind: RegisteredConsumer['kind']): ClassDecorator {
  const consumer: RegisteredConsumer = {
    ...options,
    kind,
    consumes: [options.consumes].flat() as readonly EventDefinition[],
  };
  return (target) => {
    const descriptor = Object.getOwnPropertyDescriptor(target.prototype, 'handle');
    if (!descriptor) throw new Error(`${target.name} has no method handle(event, context)`);
    Reflect.defineMetadata('atelier:consumer', options.id, target);
    applyDecorators(Controller(), UseFilters(new Rethrow()))(target);
    Payload()(target.prototype as object, 'handle', 0);
    Ctx()(target.prototype as object, 'handle', 1);
    EventPattern<string>(options.id, undefined, { consumer })(
      target.prototype as object,
      'handle',
      descriptor,
    );
  };
}
