import fc from 'fast-check';
import {
  allocate,
  BASIS_POINTS,
  creditsSchema,
  fromMoneyWire,
  majorUnitsText,
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
        const wire = moneySchema.parse(JSON.parse(JSON.stringify(toMoneyWire({ amount, currency: 'USD' }))));
        expect(fromMoneyWire(wire)).toEqual({ amount, currency: 'USD' });
      }),
    );
  });

  it.each(['19.99', '01', '', '1e3', '-', ' 1', '12345678901234567890'])('is not %j', (amount) => {
    expect(moneySchema.safeParse({ amount, currency: 'USD' }).success).toBe(false);
  });

  it('is made of a stored number only while that has every unit', () => {
    expect(toMoneyWire({ amount: -1_999, currency: 'USD' })).toEqual({ amount: '-1999', currency: 'USD' });
    for (const amount of [0.5, 2 ** 53, Number.NaN])
      expect(() => toMoneyWire({ amount, currency: 'USD' })).toThrow(RangeError);
  });

  it.each([
    [1_999n, 'USD', '19.99'],
    [5n, 'USD', '0.05'],
    [500n, 'JPY', '500'],
    [-1_234n, 'KWD', '-1.234'],
    [12_345n, 'CLF', '1.2345'],
    [9_007_199_254_740_993n, 'EUR', '90071992547409.93'],
    // Intl would say 123456: people have no use for the sen, and ISO 4217 still has it.
    [123_456n, 'IDR', '1234.56'],
  ])('of %s minor units of %s reads %s', (amount, currency, text) => {
    expect(majorUnitsText({ amount, currency })).toBe(text);
  });

  it('has credits as whole numbers from 0', () => {
    for (const bad of [-1, 0.5, '5', Number.NaN]) expect(creditsSchema.safeParse(bad).success).toBe(false);
    expect(creditsSchema.parse(0)).toBe(0);
  });
});
