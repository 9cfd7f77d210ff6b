import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AlreadyRunningError, birthOf, lockHolder, takeLock } from './lock.js';

describe('the lock of a data folder', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'lock-'));
    file = path.join(folder, 'stack.lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('refuses a second start and names the first and how to stop it', () => {
    takeLock(file, 'infra');
    expect(() => takeLock(file, 'start')).toThrow(AlreadyRunningError);
    expect(() => takeLock(file, 'start')).toThrow(
      `\`infra\` already runs here as process ${process.pid}: stop it with \`npm run infra -- stop\`.`,
    );
  });

  it('is free again after it was given back', () => {
    takeLock(file, 'start')();
    expect(existsSync(file)).toBe(false);
    takeLock(file, 'start')();
  });

  it('is taken over from a process that was killed', async () => {
    const child = spawn('sleep', ['60']);
    const holder = { pid: child.pid!, bornAt: birthOf(child.pid!)!, command: 'start' };
    writeFileSync(file, JSON.stringify(holder));
    expect(() => takeLock(file, 'start')).toThrow(AlreadyRunningError);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    takeLock(file, 'start');
    expect(lockHolder(file)?.pid).toBe(process.pid);
  });

  it('is not held by a stranger who got the process id of a dead holder', () => {
    writeFileSync(file, JSON.stringify({ pid: process.pid, bornAt: '1', command: 'start' }));
    expect(lockHolder(file)).toBeUndefined();
    takeLock(file, 'start');
    expect(lockHolder(file)?.bornAt).toBe(birthOf(process.pid));
  });

  it('is taken over when a crash left half a file, and leaves nothing else behind', () => {
    writeFileSync(file, '{"pid":');
    takeLock(file, 'start');
    expect(readdirSync(folder)).toEqual(['stack.lock']);
  });
});
