import { currentContext, runInContext } from './context.js';
import { counter, registry } from './metrics.js';
import { currentTraceparent, isTraceparent, newTraceparent, withSpan } from './tracing.js';

const traceId = (traceparent: string | undefined) => traceparent?.split('-')[1];

describe('the trace, while OpenTelemetry is off', () => {
  it('goes on from the message that caused the work, through every span below', async () => {
    const parent = newTraceparent();
    const seen: (string | undefined)[] = [];
    await withSpan(
      'outer',
      {},
      () => withSpan('inner', {}, async () => void seen.push(currentTraceparent())),
      {
        parentTraceparent: parent,
      },
    );
    expect(isTraceparent(seen[0])).toBe(true);
    expect(traceId(seen[0])).toBe(traceId(parent));
    expect(seen[0]).not.toBe(parent);
  });

  it('starts anew where there is none, or a malformed one', async () => {
    for (const parentTraceparent of [undefined, 'nonsense', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`]) {
      const inside = await withSpan('x', {}, async () => currentTraceparent(), { parentTraceparent });
      expect(isTraceparent(inside)).toBe(true);
      expect(traceId(inside)).not.toBe('0'.repeat(32));
    }
    expect(currentTraceparent()).toBeUndefined();
  });

  it('is that of the innermost context', async () => {
    const context = {
      actor: { kind: 'service' as const, id: 'spec' },
      correlationId: 'c',
      causationId: 'c',
      traceparent: newTraceparent(),
    };
    await withSpan('outer', {}, async () =>
      runInContext(context, async () => {
        await Promise.resolve();
        expect(currentTraceparent()).toBe(context.traceparent);
        expect(currentContext()).toBe(context);
      }),
    );
    expect(currentContext()).toBeUndefined();
  });

  it('passes the error of a span on unchanged', async () => {
    const error = new Error('boom');
    await expect(withSpan('x', {}, () => Promise.reject(error))).rejects.toBe(error);
  });
});

describe('metrics', () => {
  it('are made once per name, so that several services fit into one process', async () => {
    counter('atelier_spec_things_total', 'Things.', ['kind']).inc({ kind: 'a' });
    counter('atelier_spec_things_total', 'Things.', ['kind']).inc({ kind: 'a' });
    expect(await registry.metrics()).toContain('atelier_spec_things_total{kind="a"} 2');
  });

  it('refuse a name outside the platform', () => {
    expect(() => counter('things', 'Things.')).toThrow('atelier_');
  });
});
