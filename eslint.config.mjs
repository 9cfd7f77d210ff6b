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
const noDatabaseInEdges = pattern(
  ['*.repository.js'],
  'controllers-do-not-touch-the-database: call one use case or one query; the repository is behind it.',
);
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
    files: ['**/*.controller.ts', '**/*.consumer.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [noDeepImports, noTesting, noDatabaseInEdges] }],
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
