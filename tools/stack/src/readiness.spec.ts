import { freePorts } from './ports.js';
import { untilReady } from './readiness.js';

const longMs = 30_000;

describe('waiting for readiness', () => {
  it('ends when it is given up, and not only when its time is over', async () => {
    const [port = 0] = await freePorts(1);
    const givenUp = new AbortController();
    const watched = { name: 'ledger', url: `http://127.0.0.1:${port}`, isGivenUp: () => false };
    const waiting = untilReady([watched], longMs, () => givenUp.abort(new Error('given up')), givenUp.signal);
    await expect(waiting).rejects.toThrow('given up');
  });
});
