import { parseArgs } from 'node:util';
import { z } from 'zod';
import { DomainError } from '@atelier/kernel';
import { explain, rebuild, regenerate, verify } from './cli/commands.js';
import { openBooks, type Books } from './cli/open-books.js';
import { terminal } from './cli/text.js';
import { isMonth, monthOf } from './regeneration/regeneration.domain.js';

const HELP = `usage: npm run ledger -- verify                      recompute all balances, statements and hashes
       npm run ledger -- rebuild [--apply]           derive balances and statements from the journal again:
                                                     shows what differs, and mends it with --apply
       npm run ledger -- explain <id>                the story of an entry, hold, purchase, job or payment
       npm run ledger -- regenerate [--month YYYY-MM] [--dry-run]
                                                     the monthly sweep, up to this month or an earlier one
All may run while the ledger works. The database is MONGODB_URI, else the one of \`npm start\` in this checkout.
Exits with 1 when something does not add up, is not there or is not finished, and with 2 when it cannot run.
NO_COLOR is respected.`;
const CANNOT_RUN = 2;

class UsageError extends Error {}
type Command = (books: Books) => Promise<number>;

function parse(args: readonly string[]): Command | 'help' {
  const { values, positionals } = options(args);
  if (values.help) return 'help';
  const [name, id, ...more] = positionals;
  const { apply, month, 'dry-run': dryRun } = values;
  const takesId = name === 'explain';
  if (more.length > 0 || takesId !== (id !== undefined)) throw new UsageError('which one?');
  if (apply && name !== 'rebuild') throw new UsageError('--apply is for rebuild');
  if ((month || dryRun) && name !== 'regenerate')
    throw new UsageError('--month and --dry-run are for regenerate');
  if (month !== undefined && !isMonth(month)) throw new UsageError(`${month} is no month like 2026-12`);
  if (month !== undefined && month > monthOf(new Date())) throw new UsageError(`${month} has not begun yet`);
  if (name === 'verify') return (books) => verify(books, terminal);
  if (name === 'rebuild') return (books) => rebuild(books, apply, terminal);
  if (name === 'explain') return (books) => explain(books, id!, terminal);
  if (name === 'regenerate') return (books) => regenerate(books, { month, dryRun }, terminal);
  throw new UsageError(name ? `there is no command ${name}` : 'which command?');
}

function options(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false, short: 'h' },
        apply: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        month: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function run(args: readonly string[]): Promise<number> {
  const command = parse(args);
  if (command === 'help') {
    terminal.print(HELP);
    return 0;
  }
  const books = await openBooks();
  try {
    return await command(books);
  } finally {
    await books.close();
  }
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n${HELP}\n`);
  else if (error instanceof DomainError) process.stderr.write(`${error.message}\n`);
  else if (error instanceof z.ZodError)
    process.stderr.write(`the environment is wrong:\n${z.prettifyError(error)}\n`);
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = error instanceof DomainError ? 1 : CANNOT_RUN;
}
