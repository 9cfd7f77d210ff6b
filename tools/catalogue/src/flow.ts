import { commandLine } from '@atelier/stack/command-line';
import { scanApps } from './code.js';
import { loadContracts } from './contracts.js';
import { choose, describe, list } from './flow-text.js';

const help = `usage: npm run flow -- <event>   who states it, on which topic, who consumes it, which views it feeds
       npm run flow              all events
<event> is the constant's name (PurchaseCompleted) or the type (commerce.purchase.completed.v1).`;

const { values, positionals } = commandLine(help, {
  allowPositionals: true,
  options: { help: { type: 'boolean', default: false } },
});
process.exitCode = await run(positionals[0]);

async function run(wanted: string | undefined): Promise<number> {
  if (values.help) {
    console.log(help);
    return 0;
  }
  const contracts = await loadContracts();
  if (wanted === undefined) {
    console.log(list(contracts));
    return 0;
  }
  const { contract, suggestions } = choose(wanted, contracts);
  if (!contract) {
    console.error(`There is no event ${wanted}. Did you mean ${suggestions.join(', ')}?`);
    return 1;
  }
  console.log(describe(contract, scanApps(contracts)));
  return 0;
}
