import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { createLogger } from '@atelier/observability';
import { Database, Outbox, persistenceEnvironment } from '@atelier/persistence';
import { HealthRegistry, ShutdownSequence, type ServiceConfig } from '@atelier/service';
import { AccountTurns } from './accounts/account-turns.js';
import { AccountRepository } from './accounts/account.repository.js';
import { StatementRepository } from './accounts/statement.repository.js';
import { VerifyBooks, type Report } from './audit/verify-books.usecase.js';
import { HoldRepository } from './holds/hold.repository.js';
import { JournalRepository } from './journal/journal.repository.js';

/** `npm run ledger -- verify`: the books are recomputed without starting the service. Exits with 1 when they differ. */

const USAGE = 'usage: npm run ledger -- verify\n';
const STOP_TIMEOUT_MS = 5_000;
const INFRASTRUCTURE_FILE = '.data/infra.json';

const environmentSchema = z.object(persistenceEnvironment);
const infrastructureSchema = z.object({ mongodbUri: z.string() });

function environment(): z.infer<typeof environmentSchema> {
  if (process.env['MONGODB_URI'] || !existsSync(INFRASTRUCTURE_FILE))
    return environmentSchema.parse(process.env);
  const { mongodbUri } = infrastructureSchema.parse(JSON.parse(readFileSync(INFRASTRUCTURE_FILE, 'utf8')));
  return environmentSchema.parse({ ...process.env, MONGODB_URI: mongodbUri });
}

async function verify(): Promise<Report> {
  const shutdown = new ShutdownSequence(createLogger('ledger', { level: 'warn' }), STOP_TIMEOUT_MS);
  const config = environment() as unknown as ServiceConfig;
  const database = new Database({ database: 'ledger' }, config, new HealthRegistry(), shutdown);
  try {
    await database.onModuleInit();
    const accounts = new AccountRepository(database);
    const statements = new StatementRepository(database);
    const journal = new JournalRepository(
      database,
      new Outbox(database),
      accounts,
      new AccountTurns(),
      statements,
    );
    return await new VerifyBooks(
      database,
      journal,
      accounts,
      statements,
      new HoldRepository(database),
    ).execute();
  } finally {
    await shutdown.run();
  }
}

function print({ entries, accounts, platform, findings }: Report): void {
  for (const { account, entryId, problem, expected, found } of findings) {
    console.log(`✗ ${account} ${entryId ?? '-'}: ${problem}; expected ${expected}, found ${found}`);
  }
  for (const [account, balance] of Object.entries(platform).sort()) console.log(`  ${account}: ${balance}`);
  const result = findings.length === 0 ? 'the books balance' : `${findings.length} findings`;
  console.log(`${accounts} accounts, ${entries} entries: ${result}`);
}

if (process.argv[2] === 'verify') {
  const report = await verify();
  print(report);
  process.exitCode = report.findings.length === 0 ? 0 : 1;
} else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}
