import { Global, Module, type DynamicModule } from '@nestjs/common';
import { IdempotencyStore } from '@atelier/service';
import { Database, DATABASE_OPTIONS, type DatabaseOptions } from './database.js';
import { MongoIdempotencyStore } from './idempotency-store.js';
import { Outbox } from './outbox.js';

/** `imports: [PersistenceModule.forRoot({ database: 'commerce', migrations })]`, once per service. */
@Global()
@Module({})
export class PersistenceModule {
  static forRoot(options: DatabaseOptions): DynamicModule {
    return {
      module: PersistenceModule,
      providers: [
        { provide: DATABASE_OPTIONS, useValue: options },
        Database,
        Outbox,
        { provide: IdempotencyStore, useClass: MongoIdempotencyStore },
      ],
      exports: [Database, Outbox, IdempotencyStore],
    };
  }
}
