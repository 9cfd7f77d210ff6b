import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { commandLinesOfTree, cpuSecondsByName, cpuSecondsOfTree, memoryMbOfTree } from './processes.js';

const CPU_SECONDS = 0.3;
/** Says so when it has used that much, however long that takes. */
const CHILD = `
  const used = () => { const { user, system } = process.cpuUsage(); return user + system; };
  while (used() < ${CPU_SECONDS} * 1e6);
  console.log('done');
  setInterval(() => {}, 1000)`;
const PARENT = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(CHILD)}], { stdio: 'inherit' })`;

describe('the figures of a process tree', () => {
  it('are of the process and of what it has started', async () => {
    const parent = spawn(process.execPath, ['-e', PARENT], { detached: true });
    try {
      await once(parent.stdout, 'data');
      const pid = parent.pid!;
      expect(commandLinesOfTree(pid).map((args) => args.includes(CHILD))).toEqual([false, true]);
      expect(cpuSecondsOfTree(pid)).toBeGreaterThan(CPU_SECONDS - 0.1);
      expect(memoryMbOfTree(pid)).toBeGreaterThan(10);
      const byName = cpuSecondsByName({ gateway: pid, mongodb: pid });
      expect(Object.keys(byName)).toEqual(['gateway', 'mongodb', 'postgres']);
      expect(byName['mongodb']! + byName['postgres']!).toBeCloseTo(byName['gateway']!, 0);
    } finally {
      process.kill(-parent.pid!, 'SIGKILL');
    }
  });

  it('are refused, and not 0, when the process cannot be read', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    expect(() => cpuSecondsOfTree(child.pid!)).toThrow(`Process ${child.pid} is not in /proc`);
    expect(() => memoryMbOfTree(child.pid!)).toThrow(`Process ${child.pid} is not in /proc`);
    expect(() => cpuSecondsByName({ mongodb: child.pid! })).toThrow(`Process ${child.pid} is not in /proc`);
  });
});
