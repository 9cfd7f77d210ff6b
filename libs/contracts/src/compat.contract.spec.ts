import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadContracts, root } from '../../../tools/catalogue/src/contracts.js';
import { exampleFile, refusals, schemaFile } from '../../../tools/catalogue/src/generate.js';
import { teach } from '../../../tools/catalogue/src/compatibility.js';

const read = (file: string): unknown => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const contracts = await loadContracts();
const byType = new Map(contracts.map(({ definition }) => [definition.type, definition]));
const golden = globSync('libs/contracts/examples/*.json', { cwd: root }).sort();

describe('the contracts of events', () => {
  it('are found, and each lives in the folder of the app that owns it', () => {
    expect(contracts.length).toBeGreaterThan(0);
    for (const { definition, file } of contracts) {
      expect(file).toContain(`libs/contracts/src/${definition.app}/`);
    }
  });

  it.each(contracts.map(({ definition }) => definition.type))('%s accepts its own example', (type) => {
    const { schema, example } = byType.get(type)!;
    expect(schema.parse(example)).toEqual(example);
  });

  it.each(contracts.map(({ definition }) => definition.type))(
    '%s has a committed schema and a golden example',
    (type) => {
      const missing = [schemaFile(type), exampleFile(type)].filter(
        (file) => !existsSync(path.join(root, file)),
      );
      if (missing.length > 0) throw new Error(`Run \`npm run gen\` and commit ${missing.join(' and ')}.`);
    },
  );

  it.each(golden)('%s can be read for ever, to the last field', (file) => {
    const type = path.basename(file, '.json');
    const definition = byType.get(type);
    if (!definition)
      throw new Error(teach(type, ['the definition is gone; its facts are still on the topic']));
    const record = read(file);
    // Not equal: a later version may fill in defaults.
    expect(definition.schema.parse(record)).toMatchObject(record as object);
  });

  it('changed only in ways that break nobody, compared with the committed schemas', () => {
    const found = refusals(contracts);
    if (found.length > 0) throw new Error(found.join('\n\n'));
  });
});
