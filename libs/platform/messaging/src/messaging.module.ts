import { Controller, Global, HttpCode, Module, Param, Post, Query, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { z } from 'zod';
import { ServiceOnly } from '@atelier/auth';
import type { EventDefinition } from '@atelier/kernel';
import { MessagingTransport, ServiceConfig } from '@atelier/service';
import { messagingEnvironmentSchema } from './environment.js';
import { EventBus } from './event-bus.js';
import { Inbox } from './inbox.js';
import { KafkaBus } from './kafka-bus.js';
import { MemoryBus } from './memory-bus.js';
import { EventTransport, PUBLISHES } from './transport.js';

const projectionId = z.string().regex(/^[a-z]+\.[a-z-]+$/);
const replayQuery = z.strictObject({ lossy: z.enum(['true', 'false']).default('false') });

/** `npm run replay -- <projection>` ends here. */
@Controller('internal/projections')
class ProjectionsController {
  constructor(private readonly transport: MessagingTransport) {}

  @Post(':id/replay')
  @HttpCode(200)
  @ServiceOnly()
  replay(
    @Param('id', { schema: projectionId }) id: string,
    @Query({ schema: replayQuery }) { lossy }: z.infer<typeof replayQuery>,
  ): Promise<{ events: number }> {
    return (this.transport as EventTransport).replay(id, lossy === 'true');
  }
}

export interface MessagingOptions {
  /** The service's name; Kafka's client id. */
  readonly app: string;
  /** Every fact that the service states: their topics exist before it starts. */
  // why: facts of several data types stand in one list.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly publishes: readonly EventDefinition<any>[];
}

/** `imports: [MessagingModule.forRoot({ app: 'commerce', publishes: [PurchaseCompleted, …] })]`, once per service. */
@Global()
@Module({})
export class MessagingModule {
  static forRoot(options: MessagingOptions): DynamicModule {
    return {
      module: MessagingModule,
      imports: [DiscoveryModule],
      controllers: [ProjectionsController],
      providers: [
        Inbox,
        { provide: PUBLISHES, useValue: options.publishes },
        {
          provide: EventBus,
          inject: [ServiceConfig],
          useFactory: (config: ServiceConfig): EventBus => {
            const environment = messagingEnvironmentSchema.parse(config);
            if (environment.KAFKA_BROKERS === 'memory') {
              if (config.NODE_ENV === 'production')
                throw new Error(
                  'KAFKA_BROKERS=memory tells nobody of anything: in production name the brokers.',
                );
              return new MemoryBus();
            }
            return new KafkaBus({
              brokers: environment.KAFKA_BROKERS.split(','),
              clientId: options.app,
              sessionTimeoutMs: environment.CONSUMER_SESSION_TIMEOUT_MS,
              replicationFactor: environment.KAFKA_REPLICATION_FACTOR,
              // Twice, then the step of the shutdown is over.
              stopTimeoutMs: config.DRAIN_TIMEOUT_MS / 2,
            });
          },
        },
        { provide: MessagingTransport, useClass: EventTransport },
      ],
      exports: [EventBus, Inbox, MessagingTransport],
    };
  }
}
