import { spawn } from 'node:child_process';
import type { Exit } from '@atelier/kafka';
import { Supervised, type Running } from './supervised.js';

/** A real child that lives until it is killed. */
async function child(command = ['sleep', '60']): Promise<Running> {
  const process = spawn(command[0]!, command.slice(1));
  const exited = new Promise<Exit>((resolve) =>
    process.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const end = (signal: NodeJS.Signals) => async () => {
    process.kill(signal);
    await exited;
  };
  return { pid: process.pid!, exited, stop: end('SIGTERM'), kill: end('SIGKILL') };
}

describe('a supervised child', () => {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  beforeEach(() => said.splice(0));

  it('is started again after it was killed, as another process, and this is said', async () => {
    const one = new Supervised('ledger', () => child(), say);
    await one.start();
    const before = one.running!.pid;
    await one.kill();
    await one.revive();
    expect(one.running!.pid).not.toBe(before);
    expect(said).toEqual(['ledger was ended by SIGKILL; restart 1 of 8 in 0.5 s', 'ledger runs again']);
    await one.stop();
  });

  it('stays down when it was stopped', async () => {
    const one = new Supervised('ledger', () => child(), say);
    await one.start();
    await one.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(one.running).toBeUndefined();
    expect(said).toEqual([]);
  });

  it('is given up after a bounded number of failures in a row', async () => {
    let starts = 0;
    const one = new Supervised('ledger', () => (starts++, child(['false'])), say);
    await one.start();
    for (;;) {
      await one.running?.exited;
      if (one.givenUp) break;
      await one.revive();
    }
    expect(starts).toBe(9);
    expect(said.at(-1)).toBe('ledger ended with code 1 and is given up after 8 restarts');
  });

  it('fails at once when the first start fails', async () => {
    const one = new Supervised('ledger', () => Promise.reject(new Error('no such jar')), say);
    await expect(one.start()).rejects.toThrow('no such jar');
  });
});
