import { jest } from '@jest/globals';
import { untilStopSignal } from './signals.js';

describe('a signal to stop', () => {
  const exit = jest.spyOn(process, 'exit').mockReturnValue(undefined as never);
  const now = jest.spyOn(performance, 'now');
  afterAll(() => jest.restoreAllMocks());

  it('that comes twice at once, by the terminal and by npm, still stops in order; one later ends at once', async () => {
    const before = process.listeners('SIGINT');
    const asked = untilStopSignal();
    now.mockReturnValue(10_000);
    process.emit('SIGINT');
    now.mockReturnValue(10_001);
    process.emit('SIGINT');
    expect(await asked).toBe('SIGINT');
    expect(exit).not.toHaveBeenCalled();
    now.mockReturnValue(12_000);
    process.emit('SIGINT');
    expect(exit).toHaveBeenCalledWith(130);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      for (const listener of process.listeners(name))
        if (!before.includes(listener)) process.removeListener(name, listener);
  });
});
