import { swcOptions } from './tools/stack/setup/swc.mjs';

/** The rings, from the cheapest to the dearest; each is a project, so that `--selectProjects int` works. */
const named = ['contract', 'int', 'stress', 'e2e'];
const specs = (kind) => `**/*.${kind}.spec.ts`;

const base = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  // Not in TMPDIR, which `npm test` makes anew for each run.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  // Libraries are tested from source: no build between a change and its test.
  testEnvironmentOptions: { customExportConditions: ['@atelier/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swcOptions, swcrc: false }] },
  modulePathIgnorePatterns: ['<rootDir>/.data/', '<rootDir>/.nx/', '/dist/'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
};

const ring = (displayName, testMatch, more = {}) => ({ ...base, displayName, testMatch, ...more });

export default {
  workerIdleMemoryLimit: '512MB',
  // A bound against hanging, not a promise of speed. Jest knows no time-out per project.
  testTimeout: 60_000,
  projects: [
    ring('unit', ['**/*.spec.ts', ...named.map((kind) => `!${specs(kind)}`)]),
    ring('contract', [specs('contract')]),
    ring('int', [specs('int')]),
    ring('stress', [specs('stress')]),
    ring('system', ['<rootDir>/apps/e2e/**/*.e2e.spec.ts']),
  ],
};
