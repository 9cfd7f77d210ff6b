import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { SystemClock } from '@atelier/kernel';
import { createLogger, type Logger } from '@atelier/observability';
import { Database, Outbox, persistenceEnvironment } from '@atelier/persistence';
import { HealthRegistry, ShutdownSequence, type ServiceConfig } from '@atelier/service';
import { AccountTurns } from '../accounts/account-turns.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import { AccountHistory } from '../audit/account-history.js';
import { Explain } from '../audit/explain.usecase.js';
import { EarningsRepository } from '../earnings/earnings.repository.js';
import { RebuildAccount } from '../audit/rebuild-account.usecase.js';
import { RebuildEarnings } from '../audit/rebuild-earnings.usecase.js';
import { VerifyAccount } from '../audit/verify-account.usecase.js';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { HoldRepository } from '../holds/hold.repository.js';
import { EntryRows } from '../journal/entry-rows.js';
import { GroupCommit } from '../journal/group-commit.js';
import { JournalRepository } from '../journal/journal.repository.js';
import { regenerationEnvironment } from '../ledger.config.js';
import { BegunMonth, DatabaseTime } from '../regeneration/begun-month.js';
import { RegenerateAccount } from '../regeneration/regenerate-account.usecase.js';
import { RegenerateShard } from '../regeneration/regenerate-shard.usecase.js';
import { RegenerationShardRepository } from '../regeneration/regeneration-shard.repository.js';

const STOP_TIMEOUT_MS = 5_000;
const INFRASTRUCTURE_FILE = '.data/infra.json';

const environmentSchema = z.object({ ...persistenceEnvironment, ...regenerationEnvironment });
const infrastructureSchema = z.object({ mongodbUri: z.string() });

type Environment = z.infer<typeof environmentSchema>;

function environmentOf(env: NodeJS.ProcessEnv): Environment {
  if (env['MONGODB_URI'] || !existsSync(INFRASTRUCTURE_FILE)) return environmentSchema.parse(env);
  const { mongodbUri } = infrastructureSchema.parse(JSON.parse(readFileSync(INFRASTRUCTURE_FILE, 'utf8')));
  return environmentSchema.parse({ ...env, MONGODB_URI: mongodbUri });
}

/** The ledger's books and what an operator does with them, without HTTP, consumers and loops. */
export async function openBooks(env: NodeJS.ProcessEnv = process.env) {
  const log = createLogger('ledger', { level: 'warn' });
  const shutdown = new ShutdownSequence(log, STOP_TIMEOUT_MS);
  const config = environmentOf(env);
  const database = new Database(
    { database: 'ledger' },
    config as unknown as ServiceConfig,
    new HealthRegistry(),
    shutdown,
  );
  try {
    await database.onModuleInit();
    return assemble(database, config, log, () => shutdown.run());
  } catch (error) {
    // An open connection would keep the process.
    await shutdown.run();
    throw error;
  }
}
export type Books = Awaited<ReturnType<typeof openBooks>>;

function assemble(database: Database, config: Environment, log: Logger, close: () => Promise<void>) {
  const clock = new SystemClock();
  const turns = new AccountTurns();
  const accounts = new AccountRepository(database);
  const statements = new StatementRepository(database);
  const holds = new HoldRepository(database);
  const earnings = new EarningsRepository(database);
  const entries = new EntryRows(database);
  const group = new GroupCommit(
    ...([database, new Outbox(database), accounts, turns, statements, holds, entries] as const),
  );
  const journal = new JournalRepository(database, group, turns, earnings, entries);
  const shards = new RegenerationShardRepository(database);
  const history = new AccountHistory(database, accounts, journal, statements, holds, earnings);
  const regenerateAccount = new RegenerateAccount(group, journal, clock, config);
  return {
    ...{ accounts, earnings, journal, shards, regenerateAccount },
    begunMonth: new BegunMonth(clock, new DatabaseTime(database), log),
    verifyBooks: new VerifyBooks(database, journal, accounts, earnings, new VerifyAccount(history)),
    rebuildAccount: new RebuildAccount(database, accounts, statements, holds, journal, history, clock),
    rebuildEarnings: new RebuildEarnings(database, earnings, history, clock),
    explain: new Explain(journal, holds, statements),
    regenerateShard: new RegenerateShard(accounts, shards, regenerateAccount, clock, log, config),
    close,
  };
}
