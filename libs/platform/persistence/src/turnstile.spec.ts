import { eventually } from '@atelier/testing';
import { Turnstile } from './turnstile.js';

const WAIT_MS_MAX = 20;
const full = { kind: 'unavailable', code: 'platform.transaction.queue_full' };

describe('the turnstile before the pool', () => {
  const enter = (turnstile: Turnstile) => {
    const gate = Promise.withResolvers<void>();
    const passed = turnstile.pass(() => gate.promise);
    return { leave: gate.resolve, passed };
  };

  it('lets the next in line in when one leaves, in the order in which they came', async () => {
    const turnstile = new Turnstile({ insideMax: 1, waitingMax: 10, waitMsMax: 60_000 });
    const first = enter(turnstile);
    const order: number[] = [];
    const others = [1, 2, 3].map((n) => turnstile.pass(async () => void order.push(n)));
    expect(order).toEqual([]);
    first.leave();
    await Promise.all([first.passed, ...others]);
    expect(order).toEqual([1, 2, 3]);
  });

  it('turns away who comes when too many wait', async () => {
    const turnstile = new Turnstile({ insideMax: 1, waitingMax: 1, waitMsMax: 60_000 });
    const [first, second] = [enter(turnstile), enter(turnstile)];
    await expect(turnstile.pass(() => Promise.resolve())).rejects.toMatchObject(full);
    first.leave();
    second.leave();
    await Promise.all([first.passed, second.passed]);
  });

  it('turns away who has waited too long, and forgets them: nobody inside is counted twice', async () => {
    const turnstile = new Turnstile({ insideMax: 1, waitingMax: 1, waitMsMax: WAIT_MS_MAX });
    const first = enter(turnstile);
    await expect(turnstile.pass(() => Promise.resolve())).rejects.toMatchObject(full);
    const second = enter(turnstile);
    first.leave();
    await first.passed;
    second.leave();
    await second.passed;
    await eventually(async () => expect(await turnstile.pass(() => Promise.resolve(1))).toBe(1));
  });
});
