export { Database, persistenceEnvironment, type DatabaseOptions } from './database.js';
export { duplicateKeyFields } from './duplicate-key.js';
export { keySetPage, type KeySetOrder, type KeySetRequest } from './key-set-page.js';
export type { Migration } from './migrations.js';
export { isOutage } from './outage.js';
export { Outbox, OUTBOX_BUCKETS, type OutboxRow } from './outbox.js';
export { PersistenceModule } from './persistence.module.js';
export {
  aggregateSchema,
  fromDocument,
  Repository,
  type AcrossOwners,
  type Aggregate,
  type OwnedFilter,
  type PageRequest,
  type RepositoryOptions,
  type Stored,
} from './repository.js';
export { currentSession, afterCommit } from './transaction.js';
