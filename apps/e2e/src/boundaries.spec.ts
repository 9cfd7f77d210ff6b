import { join } from 'node:path';
import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { ROOT } from './deployment.js';

const USE_CASE = 'apps/commerce/src/purchases/thrown-away.usecase.ts';
const CONTROLLER = 'apps/commerce/src/purchases/thrown-away.controller.ts';
const CONSUMER = 'apps/commerce/src/purchases/on-thrown-away.consumer.ts';
const KERNEL = 'libs/kernel/src/thrown-away.ts';
const CONTRACT = 'libs/contracts/src/commerce/thrown-away.api.ts';

/** Without types: these rules need none, and files that are not there have none. */
const eslint = new ESLint({
  cwd: ROOT,
  overrideConfig: tseslint.configs.disableTypeChecked as Linter.Config,
  ruleFilter: ({ ruleId }) => ruleId.startsWith('no-restricted-'),
});

async function refusals(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(ROOT, file) });
  return result!.messages.map(({ message }) => message);
}
const imports = (what: string) => `import '${what}';`;
const takes = (argument: string) => `class Thrown { away(${argument}) {} }`;

describe('lint refuses, and says what to do instead', () => {
  it.each([
    [USE_CASE, imports('kafkajs'), 'outbox'],
    [USE_CASE, imports('@atelier/messaging'), 'outbox'],
    [USE_CASE, imports('mongoose'), '*.repository.ts'],
    [USE_CASE, imports('undici'), '*.client.ts'],
    [USE_CASE, imports('node:https'), '*.client.ts'],
    [USE_CASE, 'await fetch(url);', '*.client.ts'],
    [USE_CASE, imports('./purchases.controller.js'), 'nobody calls a way in'],
    [USE_CASE, imports('@atelier/testing'), 'Only specs'],
    [CONTROLLER, imports('./purchase.repository.js'), 'one use case or one query'],
    [CONTROLLER, "import { Database } from '@atelier/persistence';", 'one use case or one query'],
    [CONTROLLER, imports('@atelier/messaging'), 'outbox'],
    [CONTROLLER, imports('mongoose'), '*.repository.ts'],
    [CONTROLLER, takes('@Body() body: object'), '@Body({ schema })'],
    [CONTROLLER, takes("@Body('price') price: number"), '@Body({ schema })'],
    [CONTROLLER, takes('@Query() query: object'), '@Query({ schema })'],
    [CONTROLLER, takes("@Param('id') id: string"), "@Param('id', { schema })"],
    [CONSUMER, imports('kafkajs'), '*.consumer.ts'],
    [CONSUMER, "import { Database } from '@atelier/persistence';", 'one use case or one query'],
    [CONSUMER, imports('undici'), '*.client.ts'],
    [CONSUMER, imports('./ledger.client.js'), '*.process.ts'],
    [KERNEL, imports('mongoose'), 'The kernel imports zod'],
    [KERNEL, imports('@nestjs/common'), 'The kernel imports zod'],
    [CONTRACT, imports('mongoose'), 'A contract imports zod'],
    [CONTRACT, imports('@nestjs/common'), 'A contract imports zod'],
  ])('%s: %s', async (file, code, instead) => {
    expect(await refusals(file, code)).toEqual([expect.stringContaining(instead)]);
  });
});

describe('lint leaves alone', () => {
  it.each([
    [USE_CASE, "import { Database } from '@atelier/persistence'; import './ledger.client.js';"],
    [USE_CASE, "import type { IncomingHttpHeaders } from 'node:http';"],
    [CONTROLLER, takes("@Body({ schema }) body: Order, @Param('id', { schema: purchaseId }) id: string")],
    [CONSUMER, "import { Consumer } from '@atelier/messaging'; import './buy-listing.usecase.js';"],
    [KERNEL, "import { z } from 'zod'; import './ids.js'; import 'node:crypto';"],
    [CONTRACT, "import { z } from 'zod'; import '@atelier/kernel'; import '../identity/users.api.js';"],
  ])('%s: %s', async (file, code) => {
    expect(await refusals(file, code)).toEqual([]);
  });
});
