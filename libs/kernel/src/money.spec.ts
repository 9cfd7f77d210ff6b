import fc from 'fast-check';
import {
  addMoney,
  allocate,
  BASIS_POINTS,
  creditsSchema,
  fromMoneyWire,
  money,
  moneySchema,
  splitByBasisPoints,
  toMoneyWire,
} from './money.js';

const total = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n });
const weights = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 50 })
  .filter((list) => list.some((weight) => weight > 0n));
const sum = (list: readonly bigint[]) => list.reduce((left, right) => left + right, 0n);

describe('allocating money', () => {
  it('loses and makes no unit: the parts sum to the total', () => {
    fc.assert(fc.property(total, weights, (amount, of) => sum(allocate(amount, of)) === amount));
  });

  it('gives every part its exact share, rounded by less than one unit', () => {
    fc.assert(
      fc.property(total, weights, (amount, of) => {
        const whole = sum(of);
        allocate(amount, of).forEach((part, i) => {
          const difference = part * whole - amount * of[i]!;
          expect(difference < whole && difference > -whole).toBe(true);
        });
      }),
    );
  });

  it('gives nothing to a part without weight', () => {
    fc.assert(fc.property(total, weights, (amount, of) => allocate(amount, [...of, 0n]).at(-1) === 0n));
  });

  it('gives units that are left over to the largest remainders, then to the earlier part', () => {
    expect(allocate(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
    expect(allocate(10n, [1n, 2n, 3n])).toEqual([2n, 3n, 5n]);
    expect(allocate(-100n, [1n, 1n, 1n])).toEqual([-34n, -33n, -33n]);
  });

  it('refuses weights that share nothing', () => {
    for (const bad of [[], [0n], [1n, -1n]]) expect(() => allocate(1n, bad)).toThrow(RangeError);
  });
});

describe('splitting by basis points', () => {
  it('gives two parts that sum to the total, neither below zero', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: BASIS_POINTS }), (amount, points) => {
        const { share, rest } = splitByBasisPoints(amount, points);
        expect(share + rest).toBe(amount);
        expect(Math.min(share, rest)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('takes a fifth of 99 as 20, and leaves 79', () => {
    expect(splitByBasisPoints(99, 2_000)).toEqual({ share: 20, rest: 79 });
  });

  it('refuses parts of a unit, debts, and shares beyond the whole', () => {
    for (const [amount, points] of [
      [1.5, 1],
      [-1, 1],
      [2 ** 53, 1],
      [1, 10_001],
      [1, -1],
      [1, 0.5],
    ] as const) {
      expect(() => splitByBasisPoints(amount, points)).toThrow(RangeError);
    }
  });
});

describe('money on the wire', () => {
  it('comes back as it was, to the last unit', () => {
    fc.assert(
      fc.property(total, (amount) => {
        const wire = moneySchema.parse(JSON.parse(JSON.stringify(toMoneyWire(money(amount, 'USD')))));
        expect(fromMoneyWire(wire)).toEqual({ amount, currency: 'USD' });
      }),
    );
  });

  it.each(['19.99', '01', '', '1e3', '-', ' 1', '12345678901234567890'])('is not %j', (amount) => {
    expect(moneySchema.safeParse({ amount, currency: 'USD' }).success).toBe(false);
  });

  it('is added only to money of the same currency', () => {
    expect(addMoney(money(1n, 'USD'), money(2n, 'USD'))).toEqual(money(3n, 'USD'));
    expect(() => addMoney(money(1n, 'USD'), money(1n, 'EUR'))).toThrow('cannot add USD and EUR');
  });

  it('has credits as whole numbers from 0', () => {
    for (const bad of [-1, 0.5, '5', Number.NaN]) expect(creditsSchema.safeParse(bad).success).toBe(false);
    expect(creditsSchema.parse(0)).toBe(0);
  });
});
