import { newId } from '@atelier/kernel';
import { openAccount, setAside } from '../accounts/account.domain.js';
import { Sheet } from './sheet.js';

const now = new Date('2026-11-21T10:00:00Z');
const balance = { ...openAccount(newId('usr'), now), settled: 10, available: 10, version: 3 };
const sheetOf = () => new Sheet(new Map([[balance.id, balance]]), new Map());
const take = (amount: number) => (sheet: Sheet) => {
  const after = setAside(sheet.balance(balance.id, now), amount, now);
  if (!after) throw new Error('not enough');
  sheet.put(after);
  return after.available;
};

describe('works that share a sheet', () => {
  it('each decide on what the one before has left, and are written as one change', () => {
    const sheet = sheetOf();
    expect([sheet.attempt(take(4)), sheet.attempt(take(6))]).toEqual([6, 0]);
    expect(() => sheet.attempt(take(1))).toThrow('not enough');
    expect(sheet.changes).toEqual([
      { after: { ...balance, held: 10, available: 0, version: 5 }, versionBefore: 3 },
    ]);
  });

  it('leave nothing when they throw half-way', () => {
    const sheet = sheetOf();
    const halfWay = (own: Sheet) => {
      take(4)(own);
      throw new Error('half-way');
    };
    expect(() => sheet.attempt(halfWay)).toThrow('half-way');
    expect(sheet.changes).toEqual([]);
  });
});
