import { Rounds } from './rounds.js';

const ENTRY = { way: 'entry', clients: 8 };
const aim = { measure: 'entries', unit: '/s', wanted: { atLeast: 5 } };

describe('rounds', () => {
  it('give a median with the least and the most, and keep what each round gave', () => {
    const rounds = new Rounds();
    for (const perSecond of [9, 2.3456789, 4]) rounds.add(ENTRY, { 'per second': perSecond });
    rounds.add({ ...ENTRY, clients: 32 }, { 'per second': 1 });
    expect(rounds.rows()).toEqual([
      { ...ENTRY, 'per second': '4 (2.35–9)' },
      { way: 'entry', clients: 32, 'per second': '1 (1–1)' },
    ]);
    expect(rounds.raw()[0]).toEqual({ ...ENTRY, 'per second': [9, 2.346, 4] });
    expect(rounds.aim(ENTRY, 'per second', aim)).toEqual({ ...aim, value: 4 });
  });

  it('say why there is no figure, when one round could not be measured', () => {
    const rounds = new Rounds();
    rounds.add(ENTRY, { 'per CPU second': 3 });
    rounds.add(ENTRY, { 'per CPU second': 'not measured: the database is not ours' });
    expect(rounds.rows()).toEqual([{ ...ENTRY, 'per CPU second': 'not measured: the database is not ours' }]);
    expect(rounds.aim(ENTRY, 'per CPU second', aim).value).toBe('not measured: the database is not ours');
    expect(() => rounds.median(ENTRY, 'per second')).toThrow('No round has measured "per second"');
  });
});
