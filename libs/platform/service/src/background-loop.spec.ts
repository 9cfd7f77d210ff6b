import { AsyncLocalStorage } from 'node:async_hooks';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '@atelier/testing';
import { BackgroundLoop } from './background-loop.js';

/** Only waking counts here. */
const NEVER_MS = 1_000_000;

describe('a background loop', () => {
  let loop: BackgroundLoop;
  afterEach(() => loop.stop());
  const started = (work: () => Promise<boolean>) => {
    loop = new BackgroundLoop('spec', NEVER_MS, work);
    loop.start();
  };

  it('runs again when it is woken at the very end of a run', async () => {
    let runs = 0;
    started(() => {
      runs += 1;
      // Resolved by hand, so that the wake comes right behind the end of the loop.
      const done = Promise.resolve(false);
      if (runs === 1) void done.then(() => Promise.resolve().then(() => loop.wake()));
      return done;
    });
    await eventually(() => expect(runs).toBe(2));
  });

  it('does its work outside of the request, use case or transaction that woke it', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    started(async () => {
      seen.push(storage.getStore());
      return false;
    });
    await eventually(() => expect(seen).toHaveLength(1));
    storage.run('a request', () => loop.wake());
    await eventually(() => expect(seen).toEqual([undefined, undefined]));
  });

  it('logs what failed with its stack, and goes on', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const failure = new Error('no database');
    let runs = 0;
    started(async () => {
      runs += 1;
      if (runs === 1) throw failure;
      return false;
    });
    await eventually(() => expect(warned).toHaveBeenCalledWith(expect.any(String), failure));
    loop.wake();
    await eventually(() => expect(runs).toBe(2));
    warned.mockRestore();
  });
});
