import { readFileSync } from 'node:fs';
import path from 'node:path';
import { jest } from '@jest/globals';
import { copyWorkspace, type Scratch } from './scratch.fixture.js';

/** Compilers and Nx, several in most steps, each of which starts anew. */
jest.setTimeout(300_000);
const ENDED_WELL = { code: 0, output: expect.any(String) as string };
const GEN = 'tools/catalogue/src/gen.ts';

/** One of each, as CONTRIBUTING.md tells a newcomer. */
const BEFORE_GEN = [
  ['feature', 'catalog', 'sketch'],
  ['usecase', 'catalog', 'sketches', 'archive-sketch'],
  ['event', 'catalog', 'sketch', 'archived'],
  ['event', 'catalog', 'prompt', 'unlisted'],
  ['feature', 'commerce', 'wish'],
  ['usecase', 'commerce', 'purchases', 'hide-purchase', '--past', 'hidden'],
];
const AFTER_GEN = [
  ['projection', 'analytics', 'sketches', 'archived-sketches', 'SketchArchived'],
  ['projection', 'commerce', 'prompts', 'newest-purchases', 'PurchaseCompleted'],
  ['consumer', 'catalog', 'prompts', 'ListingSubmitted', '--usecase', 'offer-prompt', '--owner', 'sellerId'],
  ['consumer', 'catalog', 'sketches', 'SketchArchived', '--usecase', 'drop-sketch'],
  [
    'migration',
    'catalog',
    'sketches-have-a-language',
    '--documents',
    'sketches',
    '--field',
    'language',
    '--value',
    'en',
  ],
  // A collection with a unique index that takes two empty documents for the same, and a text with a backslash.
  [
    'migration',
    'ledger',
    'vouchers-have-a-motto',
    '--documents',
    'vouchers',
    '--field',
    'motto',
    '--value',
    String.raw`it's a\b`,
  ],
];

let scratch: Scratch;
const read = (file: string) => readFileSync(path.join(scratch.folder, file), 'utf8');
const written = (pattern: RegExp) => [...scratch.written].filter((file) => pattern.test(file)).sort();

beforeAll(() => {
  scratch = copyWorkspace();
});
afterAll(() => scratch?.remove());

describe('what the generators write', () => {
  beforeAll(async () => {
    for (const step of BEFORE_GEN)
      expect([step, await scratch.generate(...step)]).toEqual([step, ENDED_WELL]);
    expect(await scratch.command(GEN)).toEqual(ENDED_WELL);
    for (const step of AFTER_GEN) expect([step, await scratch.generate(...step)]).toEqual([step, ENDED_WELL]);
    expect(await scratch.command(GEN)).toEqual(ENDED_WELL);
  });

  it('is there and has its place: module, facts, gateway and requests', () => {
    const module = read('apps/catalog/src/catalog.module.ts');
    for (const name of ['SketchesModule', 'SketchArchived', 'sketchesHaveALanguageMigration'])
      expect(module.split(name)).toHaveLength(3);
    expect(read('apps/gateway/src/routing/routes.ts')).toContain("to('catalog', 'sketches/*')");
    expect(read('apps/catalog/catalog.http')).toContain('POST {{base}}/sketches\n');
    expect(read('apps/catalog/src/prompts/prompts.module.ts')).toMatch(/CONSUMERS = \[.*OnListingSubmitted/);
    expect(read('apps/catalog/src/sketches/archive-sketch.usecase.ts')).toContain('Emits: SketchArchived.');
    expect(read('docs/events/catalog.sketch.archived.v1.md')).toContain('archived-sketches.projection.ts');
    expect(written(/\.spec\.ts$/)).toHaveLength(14);
  });

  it('looks as people write it: nothing is left open, and Prettier changes nothing', async () => {
    for (const file of written(/\.ts$/)) expect(read(file)).not.toMatch(/TODO|FIXME|<%|&#/);
    expect(await scratch.run('prettier/bin/prettier.cjs', '--check', ...written(/\.ts$/))).toEqual(
      ENDED_WELL,
    );
  });

  it('has types and keeps the boundaries', async () => {
    const types = await scratch.run('typescript7/bin/tsc', '-p', 'tsconfig.json', '--noEmit');
    expect(
      types.output.split('\n').filter((line) => written(/./).some((file) => line.startsWith(file))),
    ).toEqual([]);
    const lint = await scratch.run('eslint/bin/eslint.js', '--max-warnings', '0', ...written(/\.ts$/));
    expect(lint).toEqual(ENDED_WELL);
  });

  it('passes its own tests, and those of the features that it was added to', async () => {
    const specs = [...written(/\.spec\.ts$/), 'apps/catalog/src/prompts', 'apps/gateway/src/routing'];
    const tests = await scratch.test(...specs);
    expect(tests.output).toMatch(/^Tests: +(?:\d+ passed, )+\d+ total$/m);
    expect(tests).toEqual(ENDED_WELL);
  });
});

describe('a request on the command line', () => {
  it('that is wrong ends with 1, says what to do, and writes nothing', async () => {
    const before = scratch.written.size;
    const noun = await scratch.generate('feature', 'catalog', 'PayoutMethod');
    expect(noun).toEqual({ code: 1, output: expect.stringContaining('Did you mean `payout-method`?') });
    const option = await scratch.generate('feature', 'catalog', 'doodle', '--colour', 'red');
    expect(option).toEqual({ code: 1, output: expect.stringContaining("'colour'") });
    expect(scratch.written.size).toBe(before);
  });

  it('is answered by --help with every option and what it is for', async () => {
    const { output } = await scratch.generate('consumer', '--help');
    for (const words of ['--usecase', 'What is done then', '--owner', 'catalog prompts ListingSubmitted'])
      expect(output).toContain(words);
  });
});
