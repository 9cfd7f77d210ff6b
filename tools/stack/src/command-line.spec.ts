import { spawnSync } from 'node:child_process';
import { root, sourceArgs } from './checkout.js';

it.each([
  'tools/bench/src/main.ts',
  'tools/catalogue/src/flow.ts',
  'tools/catalogue/src/gen.ts',
  'tools/catalogue/src/rules.ts',
  'tools/operations/src/http.ts',
  'tools/story/src/main.ts',
])('%s answers an option that it does not know with its help and 1, and without a stack trace', (file) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...sourceArgs, file, '--no-such-option'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^Unknown option '--no-such-option'.*\n(usage: )?npm run /);
  expect(stderr).not.toMatch(/^ {4}at /m);
});
