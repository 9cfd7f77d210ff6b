import { payableCredits, maturedUntil, salesOf, worthOf } from './earnings.domain.js';

const sales = (maturedCredits: number, paidOutCredits = 0) => ({
  ...{ maturedCredits, paidOutCredits, maturingCredits: 1_000 },
});

describe('what can be paid out', () => {
  it.each([
    ['all of it, when nothing was spent', sales(500), 700, 500],
    ['what is left, when more was spent than was given or bought', sales(500), 300, 300],
    ['less what was paid out', sales(500, 200), 700, 300],
    ['nothing, when refunds took more than sales brought', sales(-100), 700, 0],
    ['nothing, when the balance is below zero', sales(500), -80, 0],
    ['nothing, when all was paid out', sales(500, 500), 700, 0],
  ])('is %s', (_, of, available, payable) => {
    expect(payableCredits(of, available)).toBe(payable);
  });

  it('is what sales brought without the youngest of them', () => {
    const counts = { perishable: 0, soldCredits: 900, paidOutCredits: 300 };
    expect(salesOf(counts, 250)).toEqual({ maturedCredits: 650, maturingCredits: 250, paidOutCredits: 300 });
    expect(salesOf(undefined, 0)).toEqual({ maturedCredits: 0, maturingCredits: 0, paidOutCredits: 0 });
  });

  it('is matured to the millisecond', () => {
    const now = new Date('2026-11-21T08:00:00.000Z');
    expect(maturedUntil(now, 14).toISOString()).toBe('2026-11-07T08:00:00.000Z');
  });
});

describe('a credit', () => {
  const rates = new Map([
    ['USD', 3],
    ['JPY', 4],
  ] as const);

  it('has one whole price per currency, so that parts are worth what the whole is', () => {
    for (const currency of ['USD', 'JPY']) {
      const [part, rest, whole] = [333, 667, 1_000].map(
        (credits) => worthOf(credits, currency, rates).amount,
      );
      expect(part! + rest!).toBe(whole);
    }
    expect(worthOf(1_000, 'JPY', rates)).toEqual({ amount: 4_000, currency: 'JPY' });
  });

  it('has none in a currency that is not paid out', () => {
    expect(() => worthOf(1, 'EUR', rates)).toThrow(
      expect.objectContaining({ code: 'ledger.payout.currency_unknown' }),
    );
  });
});
