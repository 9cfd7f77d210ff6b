import fc from 'fast-check';
import { idFor, type Context } from './context.js';
import { derivedId, idSchema, newId } from './ids.js';

const at = new Date('2026-11-21T08:00:00.000Z');

describe('ids (R211)', () => {
  it('are unique and in the order in which they were made, also within one millisecond', () => {
    const now = Date.now() + 1_000;
    const ids = Array.from({ length: 20_000 }, () => newId('tst', now));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('stay in order when the clock goes back', () => {
    const before = newId('tst', Date.now() + 60_000);
    expect(newId('tst', Date.now()) > before).toBe(true);
  });

  it('match their schema, and no other prefix does', () => {
    const id = newId('usr');
    expect(idSchema('usr').parse(id)).toBe(id);
    for (const bad of [
      newId('ord'),
      id.slice(0, -1),
      `${id}0`,
      id.toUpperCase(),
      `usr_${'i'.repeat(26)}`,
      '',
    ]) {
      expect(idSchema('usr').safeParse(bad).success).toBe(false);
    }
  });

  it('tell the time in their first characters: those of a later time sort after', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 47 }), fc.integer({ min: 1, max: 10 ** 9 }), (ms, later) => {
        const id = (time: number) => derivedId('tst', 'seed', new Date(time));
        return id(ms) < id(ms + later);
      }),
    );
  });
});

describe('a derived id', () => {
  it('is the same for the same cause and another for every other', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (seed, other) => {
        const id = derivedId('tst', seed, at);
        expect(derivedId('tst', seed, at)).toBe(id);
        expect(idSchema('tst').safeParse(id).success).toBe(true);
        expect(derivedId('tst', other, at) === id).toBe(other === seed);
        expect(derivedId('tsu', seed, at).slice(4)).not.toBe(id.slice(4));
      }),
    );
  });

  it('is what a request with an idempotency key gets, one for each thing that it makes', () => {
    const context: Context = {
      actor: { kind: 'user', id: 'usr_1' },
      correlationId: 'req_1',
      causationId: 'req_1',
      idempotency: { seed: 'seed', firstSeenAt: at },
    };
    expect(idFor(context, 'tst')).toBe(idFor(context, 'tst'));
    expect(idFor(context, 'tst', 1)).not.toBe(idFor(context, 'tst'));
    const { idempotency: _, ...without } = context;
    expect(idFor(without, 'tst')).not.toBe(idFor(without, 'tst'));
  });
});
