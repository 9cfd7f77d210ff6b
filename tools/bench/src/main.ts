import { commandLine } from '@atelier/stack/command-line';
import { withCommit } from './commit.js';
import { benchGrowth } from './growth.bench.js';
import { benchLedger } from './ledger.bench.js';
import { benchOutbox } from './outbox.bench.js';
import { benchPurchase } from './purchase.bench.js';
import { benchRegeneration } from './regeneration.bench.js';
import { benchStart } from './start.bench.js';
import { print, save, type BenchOptions, type Report } from './report.js';

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<Report>>> = {
  purchase: benchPurchase,
  outbox: benchOutbox,
  ledger: benchLedger,
  growth: benchGrowth,
  regeneration: benchRegeneration,
  start: benchStart,
};

const HELP = `npm run bench -- <name> [--save] [--full]

Benches: ${Object.keys(BENCHES).join(', ')}
Each starts what it measures, prints a table, and one line per aim of docs/benchmarks.
--save writes the raw result with the commit id under docs/benchmarks. --full takes longer and measures more, where a bench has more.`;

const { values, positionals } = commandLine(HELP, {
  allowPositionals: true,
  options: {
    save: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
const [name = ''] = positionals;
const bench = BENCHES[name];
if (values.help || !bench) {
  console.log(HELP);
  process.exit(values.help ? 0 : 1);
}
const measure = () => bench({ full: values.full });
if (values.save) {
  const report = await withCommit(measure);
  print(report);
  await save(report);
} else {
  print(await measure());
}
process.exit(0);
