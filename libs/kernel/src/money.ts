import { z } from 'zod';

/** An ISO 4217 code, upper-case. */
export type Currency = string;

/** Money in memory: minor units (cents for USD, yen for JPY) as bigint, and the currency. */
export interface Money {
  readonly amount: bigint;
  readonly currency: Currency;
}

/** The same as a database row has it: a safe whole number of minor units. */
export interface MoneyNumber {
  readonly amount: number;
  readonly currency: Currency;
}

/** Money on the wire and in events: the amount is a string of minor units, since JSON numbers lose integers. */
export const moneySchema = z.strictObject({
  amount: z
    .string()
    .regex(/^-?(0|[1-9]\d{0,18})$/, { error: 'expected whole minor units as a string, like "1999"' }),
  currency: z.string().regex(/^[A-Z]{3}$/, { error: 'expected an ISO 4217 code, like "USD"' }),
});
export type MoneyWire = z.infer<typeof moneySchema>;

/** A number of credits: a whole number; the ledger's unit. Signs appear only in statements. */
export const creditsSchema = z.int().min(0).max(1_000_000_000);

export const BASIS_POINTS = 10_000;

/** As events and answers carry it. Throws a RangeError for parts of a unit, and for numbers that have lost units. */
export function toMoneyWire({ amount, currency }: Money | MoneyNumber): MoneyWire {
  if (typeof amount === 'number' && !Number.isSafeInteger(amount))
    throw new RangeError(`${amount} is no whole number of minor units`);
  return { amount: amount.toString(), currency };
}
export const fromMoneyWire = (value: MoneyWire): Money => ({
  amount: BigInt(value.amount),
  currency: value.currency,
});

/**
 * The currencies with other than two decimals (ISO 4217). Not by `Intl`: it counts decimals as people use them, so
 * that 123456 minor units of IDR, which are 1234.56, would be shown as 123456.
 */
const DECIMALS: ReadonlyMap<Currency, number> = new Map([
  ...decimals(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...decimals(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...decimals(4, 'CLF UYW'),
]);
function decimals(digits: number, currencies: string): (readonly [Currency, number])[] {
  return currencies.split(' ').map((currency) => [currency, digits] as const);
}

/** Major units with as many decimals as the currency has, to the last unit: `-0.05` of USD, `500` of JPY. */
export function majorUnitsText({ amount, currency }: Money): string {
  const digits = DECIMALS.get(currency) ?? 2;
  const text = abs(amount)
    .toString()
    .padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return `${amount < 0n ? '-' : ''}${whole}${digits > 0 ? `.${text.slice(-digits)}` : ''}`;
}

/**
 * Splits a total by weights with the largest-remainder method: the parts are whole units and sum to the total
 * exactly. Ties go to the earlier part.
 */
export function allocate(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((left, right) => left + right, 0n);
  if (sum <= 0n || weights.some((weight) => weight < 0n)) throw new RangeError('weights must be positive');
  const parts = weights.map((weight) => (total * weight) / sum);
  const rest = total - parts.reduce((left, right) => left + right, 0n);
  const order = weights
    .map((weight, index) => ({ index, remainder: abs((total * weight) % sum) }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  const unit = rest < 0n ? -1n : 1n;
  for (let i = 0; i < Number(abs(rest)); i++) parts[order[i]!.index]! += unit;
  return parts;
}

/** Takes a share in basis points from a whole number; the two parts sum to the total to the unit. */
export function splitByBasisPoints(total: number, basisPoints: number): { share: number; rest: number } {
  if (!Number.isSafeInteger(total) || total < 0)
    throw new RangeError('total must be a whole number, 0 or more');
  if (!Number.isInteger(basisPoints) || basisPoints < 0 || basisPoints > BASIS_POINTS)
    throw new RangeError('basis points must be between 0 and 10000');
  const [share, rest] = allocate(BigInt(total), [BigInt(basisPoints), BigInt(BASIS_POINTS - basisPoints)]);
  return { share: Number(share), rest: Number(rest) };
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value);
