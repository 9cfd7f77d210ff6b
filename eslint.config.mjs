import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Where each kind of project may look. The messages of the rules below say why. */
const boundaries = [
  { sourceTag: 'type:kernel', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'type:contracts', onlyDependOnLibsWithTags: ['type:kernel'] },
  { sourceTag: 'type:platform', onlyDependOnLibsWithTags: ['type:kernel', 'type:platform'] },
  { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:kernel', 'type:contracts', 'type:platform'] },
  {
    sourceTag: 'type:gateway',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:contracts', 'type:platform'],
    bannedExternalImports: ['@atelier/persistence', '@atelier/messaging', 'mongoose', 'kafkajs'],
  },
  {
    sourceTag: 'type:e2e',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:contracts', 'type:testing', 'type:tool'],
  },
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['type:kernel', 'type:contracts', 'type:platform'] },
  { sourceTag: 'type:tool', onlyDependOnLibsWithTags: ['*'] },
];

const pattern = (group, message) => ({ group, message });
const CALLS_OUT =
  'Another system is called by a *.client.ts, never inside a transaction: a slow one would hold its locks.';
/** All that a domain file may look at: values, contracts, its neighbours, and these few that are as pure as it is. */
const pure = [
  '@atelier/kernel',
  '@atelier/contracts/.+',
  // Hashes and CSV are functions of their input.
  'node:crypto',
  'csv-stringify/sync',
  String.raw`\.{1,2}/(?:.+/)?(?:[^/]+\.domain|audit-log|caller|common-passwords|payment-provider)\.js`,
];
const domainIsPure = {
  regex: `^(?!(?:${pure.join('|')})$)`,
  message:
    'domain-is-pure: a domain file takes values and gives [state, events]. Pass in what it needs, do the rest in the use case.',
};
const pureLibrary = (name, allowed) => ({
  regex: `^(?!(?:${allowed.join('|')}|${String.raw`\.{1,2}/.+`})$)`,
  message: `${name} imports ${allowed.join(', ')} and its neighbours, nothing else: domain files take it in, and stay pure. What needs a framework, a driver or a file belongs to libs/platform.`,
});
/** What a use case, a controller or a consumer asks for stands before these. */
const noDrivers = [
  pattern(
    ['mongoose', 'mongodb'],
    'Documents are read and written by a *.repository.ts; several in one transaction are Database.transaction of @atelier/persistence.',
  ),
  pattern(
    ['kafkajs'],
    'Facts leave with the state: the domain returns them, `save` puts them into the outbox. They come in by a *.consumer.ts.',
  ),
  pattern(['undici', 'nodemailer'], CALLS_OUT),
  // Their types call nobody.
  { ...pattern(['node:http', 'node:https'], CALLS_OUT), allowTypeImports: true },
];
const noWaysIn = pattern(
  ['*.controller.js', '*.consumer.js'],
  'Ways in call use cases, and nobody calls a way in: move what both need into the domain or a use case.',
);
const noDatabaseInEdges = pattern(
  ['*.repository.js', '@atelier/persistence'],
  'controllers-do-not-touch-the-database: call one use case or one query; repositories and transactions are behind it.',
);
const noPublishing = pattern(
  ['@atelier/messaging'],
  'There is no publish(): the domain returns the fact, `save` puts it into the outbox with the state.',
);
const noCallsInConsumers = pattern(
  ['*.client.js'],
  'A consumer runs in a transaction, which may run twice and holds locks: note what is to be done, and let a *.process.ts or *.job.ts call.',
);
const argumentsHaveSchemas = {
  selector:
    'Decorator > CallExpression[callee.name=/^(Body|Query|Param)$/]:not(:has(ObjectExpression > Property[key.name="schema"]))',
  message:
    "Without a schema nothing is validated: @Body({ schema }), @Query({ schema }), @Param('id', { schema }).",
};
const noDeepImports = pattern(
  ['@atelier/*/src/*', '@atelier/*/dist/*'],
  'Import the library by its name: what its index does not export is its own affair.',
);
const nodeGlobals = [
  ...['process', 'console', 'Buffer', 'URL', 'fetch', 'AbortSignal'],
  ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
];
const noTesting = pattern(['@atelier/testing'], 'Only specs import @atelier/testing.');

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.data/**', '.nx/**', 'libs/contracts/schemas/**'] },
  ...tseslint.configs.recommended.map((config) => ({ ...config, files: ['**/*.mjs'] })),
  {
    // Set-up code runs before the compiler is there: what that would say of a name, this does.
    files: ['**/*.mjs'],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])) },
    rules: {
      'no-undef': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: false, allow: [], depConstraints: boundaries },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowAny: false, allow: [{ from: 'lib', name: 'bigint' }] },
      ],
      'no-restricted-imports': ['error', { patterns: [noDeepImports, noTesting] }],
    },
  },
  {
    files: ['**/*.domain.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noDeepImports, noTesting, domainIsPure] }] },
  },
  {
    files: ['**/*.usecase.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [noDeepImports, noTesting, ...noDrivers, noWaysIn, noPublishing] },
      ],
    },
  },
  {
    files: ['**/*.controller.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [noDeepImports, noTesting, ...noDrivers, noDatabaseInEdges, noPublishing] },
      ],
      'no-restricted-syntax': ['error', argumentsHaveSchemas],
    },
  },
  {
    files: ['**/*.consumer.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [noDeepImports, noTesting, ...noDrivers, noWaysIn, noDatabaseInEdges, noCallsInConsumers],
        },
      ],
    },
  },
  {
    files: ['**/*.{domain,usecase,controller,consumer}.ts'],
    rules: { 'no-restricted-globals': ['error', { name: 'fetch', message: CALLS_OUT }] },
  },
  {
    files: ['libs/kernel/src/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [pureLibrary('The kernel', ['zod', 'node:crypto'])] }],
    },
  },
  {
    files: ['libs/contracts/src/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [pureLibrary('A contract', ['zod', '@atelier/kernel'])] },
      ],
    },
  },
  {
    files: [
      '**/*.spec.ts',
      '**/*.fixture.ts',
      '**/*.contract.ts',
      'libs/testing/**',
      'apps/e2e/**',
      'tools/**',
    ],
    rules: {
      'no-restricted-imports': ['error', { patterns: [noDeepImports] }],
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
  {
    // A library's own specs use @atelier/testing, which uses the library: a cycle only of tests.
    files: ['libs/**/*.spec.ts', 'libs/**/*.fixture.ts', 'libs/**/*.contract.ts'],
    rules: { '@nx/enforce-module-boundaries': 'off' },
  },
  {
    files: ['apps/*/src/**/*.{spec,fixture,contract}.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: [],
          depConstraints: boundaries.map((constraint) =>
            ['type:app', 'type:gateway'].includes(constraint.sourceTag)
              ? {
                  sourceTag: constraint.sourceTag,
                  onlyDependOnLibsWithTags: [...constraint.onlyDependOnLibsWithTags, 'type:testing'],
                }
              : constraint,
          ),
        },
      ],
    },
  },
  {
    // A benchmark measures a service's own use cases, without the HTTP around them.
    files: ['tools/bench/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: false, allow: ['@atelier/ledger/**'], depConstraints: boundaries },
      ],
    },
  },
);
