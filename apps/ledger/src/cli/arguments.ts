import { parseArgs } from 'node:util';
import { isMonth, monthOf, type Month } from '../regeneration/regeneration.domain.js';

export const HELP = `usage: npm run ledger -- verify                      recompute all balances, statements and hashes
       npm run ledger -- rebuild [--apply]           derive all balances, of money too, and statements from
                                                     the journal again: shows what differs, and mends it
                                                     with --apply
       npm run ledger -- explain <id>                the story of an entry, hold, purchase, job or payment
       npm run ledger -- regenerate [--month YYYY-MM] [--dry-run]
                                                     the monthly sweep, up to this month or an earlier one
All may run while the ledger works. The database is MONGODB_URI, else the one of \`npm start\` in this checkout.
Exits with 1 when something does not add up, is not there or is not finished, and with 2 when it cannot run.
NO_COLOR is respected.`;

/** What the command line asks for. */
export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'verify' }
  | { readonly name: 'rebuild'; readonly apply: boolean }
  | { readonly name: 'explain'; readonly id: string }
  | { readonly name: 'regenerate'; readonly month: Month | undefined; readonly dryRun: boolean };

/** The command line asks for nothing that there is. The message says what is wrong with it. */
export class UsageError extends Error {}

/** Reads a command line, without the name of the program. Throws UsageError. */
export function parseCommand(args: readonly string[], now: Date): Command {
  const { values, positionals } = options(args);
  if (values.help) return { name: 'help' };
  const [name, id, ...more] = positionals;
  const { apply, month, 'dry-run': dryRun } = values;
  if (more.length > 0 || (name === 'explain') !== (id !== undefined)) throw new UsageError('which one?');
  if (apply && name !== 'rebuild') throw new UsageError('--apply is for rebuild');
  if ((month || dryRun) && name !== 'regenerate')
    throw new UsageError('--month and --dry-run are for regenerate');
  if (month !== undefined && !isMonth(month)) throw new UsageError(`${month} is no month like 2026-12`);
  if (month !== undefined && month > monthOf(now)) throw new UsageError(`${month} has not begun yet`);
  if (name === 'verify') return { name };
  if (name === 'rebuild') return { name, apply };
  if (name === 'explain') return { name, id: id! };
  if (name === 'regenerate') return { name, month, dryRun };
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
