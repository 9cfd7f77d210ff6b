import { newId } from '@atelier/kernel';
import { AccountTurns } from './account-turns.js';

const [ada, bob] = [newId('usr'), newId('usr')];
const gate = () => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};

describe('turns', () => {
  it('go one after the other on one account, and side by side on different ones', async () => {
    const turns = new AccountTurns();
    const { opened, open } = gate();
    const told: string[] = [];
    const first = turns.take([ada], () => opened.then(() => void told.push('first of ada')));
    const second = turns.take([ada], async () => void told.push('second of ada'));
    await turns.take([bob], async () => void told.push('bob'));
    open();
    await Promise.all([first, second]);
    expect(told).toEqual(['bob', 'first of ada', 'second of ada']);
  });

  it('on two accounts do not wait for each other in a circle', async () => {
    const turns = new AccountTurns();
    const both = [turns.take([ada, bob], async () => 1), turns.take([bob, ada], async () => 2)];
    expect(await Promise.all(both)).toEqual([1, 2]);
  });

  it('go on after one that failed', async () => {
    const turns = new AccountTurns();
    const failed = turns.take([ada], () => Promise.reject(new Error('no')));
    const next = turns.take([ada], async () => 'done');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('done');
  });

  it('are refused when a thousand wait already', async () => {
    const turns = new AccountTurns();
    const { opened, open } = gate();
    const waiting = Array.from({ length: 1000 }, () => turns.take([ada], () => opened));
    await expect(turns.take([ada], () => opened)).rejects.toMatchObject({ code: 'ledger.account.busy' });
    open();
    await Promise.all(waiting);
    expect(await turns.take([ada], async () => 'free again')).toBe('free again');
  });
});
