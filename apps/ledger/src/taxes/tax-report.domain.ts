import { DomainError, type Id } from '@atelier/kernel';
import { isEarningsPosting, isUserPosting, type ChainLink, type Entry } from '../journal/entry.domain.js';

/**
 * What a seller made in a calendar year (UTC), as the journal tells it. Sales are in credits and payouts in money,
 * so there is a line per asset. Invariants:
 * - net = gross − fees − refunds, to the unit;
 * - an entry counts in the year that it was posted in: a refund in January is of the new year;
 * - a report that is closed never changes, and computing it again gives the same.
 */
export interface TaxLine {
  readonly asset: string;
  /** Credits: what buyers paid. Money: what credits were turned into. */
  readonly gross: number;
  /** What the platform kept; less than 0 when it gave back more, of sales of an earlier year. */
  readonly fees: number;
  /** Credits: what buyers got back. Money: payouts that came back and are credits again. */
  readonly refunds: number;
  readonly net: number;
  readonly payouts: number;
}

export interface TaxReport {
  readonly userId: Id<'usr'>;
  readonly year: number;
  readonly lines: readonly TaxLine[];
  readonly closedAt: Date | null;
}

/** A report with the place in each asset's account up to which it has counted, so that the next goes on from there. */
export interface CountedReport extends TaxReport {
  readonly countedTo: Readonly<Record<TaxLine['asset'], number>>;
}

const DAY_MS = 86_400_000;
/** A year is closed a day after its end: by then the clocks of all replicas agree that it is over. */
const CLOSES_AFTER_MS = DAY_MS;

export const yearStart = (year: number): Date => new Date(Date.UTC(year, 0, 1));
export const isOfYear = (year: number, { createdAt }: Entry): boolean => createdAt.getUTCFullYear() === year;
export const isClosed = (year: number, now: Date): boolean =>
  now.getTime() >= yearStart(year + 1).getTime() + CLOSES_AFTER_MS;

/** The years that are closed, of those in which the account existed; the newest first. */
export function closedYears(firstEntryAt: Date, now: Date): number[] {
  const first = firstEntryAt.getUTCFullYear();
  const last = now.getUTCFullYear();
  const years = Array.from({ length: last - first + 1 }, (_, index) => last - index);
  return years.filter((year) => isClosed(year, now));
}

type Part = Omit<TaxLine, 'asset' | 'net'>;
const NOTHING: Part = { gross: 0, fees: 0, refunds: 0, payouts: 0 };

/** Adds up what entries did to a seller's accounts, one by one, in any order; to lines that were counted before. */
export class TaxSums {
  private readonly parts: Map<string, Part>;

  constructor(lines: readonly TaxLine[] = []) {
    this.parts = new Map(lines.map(({ asset, net: _, ...part }) => [asset, part]));
  }

  /** An entry that moves two of the accounts is added for each of them. */
  add(account: ChainLink['account'], entry: Entry): void {
    for (const posting of entry.postings) {
      if (posting.account !== account) continue;
      if (isUserPosting(posting)) {
        this.sum('credits', creditsPart(posting.type, posting.amount, platformFee(entry)));
      } else if (isEarningsPosting(posting)) {
        this.sum(posting.asset, moneyPart(posting.amount, entry.reverses !== undefined));
      }
    }
  }

  /** Credits first, then currencies by name; assets in which nothing was made are left out. */
  lines(): TaxLine[] {
    return [...this.parts]
      .map(([asset, part]) => ({ asset, ...part, net: part.gross - part.fees - part.refunds }))
      .filter(({ gross, fees, refunds, payouts }) => gross || fees || refunds || payouts)
      .sort((a, b) => (a.asset === 'credits' ? -1 : b.asset === 'credits' ? 1 : a.asset < b.asset ? -1 : 1));
  }

  private sum(asset: string, part: Partial<Part>): void {
    const before = this.parts.get(asset) ?? NOTHING;
    this.parts.set(asset, {
      gross: before.gross + (part.gross ?? 0),
      fees: before.fees + (part.fees ?? 0),
      refunds: before.refunds + (part.refunds ?? 0),
      payouts: before.payouts + (part.payouts ?? 0),
    });
  }
}

const platformFee = ({ postings }: Entry): number =>
  postings.find(({ account }) => account === 'platform:revenue')?.amount ?? 0;

function creditsPart(type: string, amount: number, fee: number): Partial<Part> {
  if (type === 'earn_sale') return { gross: amount + fee, fees: fee };
  // A reversal: its amount and its fee are below zero.
  if (type === 'refund_reversal') return { refunds: -amount - fee, fees: fee };
  if (type === 'spend_payout' || type === 'payout_return') return { payouts: -amount };
  return {};
}

function moneyPart(amount: number, isReversal: boolean): Partial<Part> {
  if (amount > 0) return { gross: amount };
  return isReversal ? { refunds: -amount } : { payouts: -amount };
}

export const yearNotReported = (year: number) =>
  new DomainError({
    kind: 'not_found',
    code: 'ledger.tax_report.not_found',
    detail: `There is no report of ${year}: it has not begun yet, or nothing was booked for you before its end.`,
  });
