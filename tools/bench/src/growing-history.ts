import { newId, type Id } from '@atelier/kernel';
import { ReadCreditsAt } from '@atelier/ledger/accounts/read-credits-at.usecase';
import { ReadStatement } from '@atelier/ledger/accounts/read-statement.usecase';
import { ReadEarnings } from '@atelier/ledger/earnings/read-earnings.usecase';
import { JournalRepository } from '@atelier/ledger/journal/journal.repository';
import { purchaseCause } from '@atelier/ledger/journal/posting-rules/purchase-completed.domain';
import { startReferral } from '@atelier/ledger/referrals/referral.domain';
import { ReadReferrals } from '@atelier/ledger/referrals/read-referrals.usecase';
import { ReadTaxReports } from '@atelier/ledger/taxes/read-tax-reports.usecase';
import type { RunningService } from '@atelier/service';
import { LedgerBooks, type Movement } from './ledger-books.js';
import { contextOf, type Queries, type Writes } from './ledger-stage.js';

const DAY_MS = 86_400_000;
const HISTORY_MS = 3 * 365 * DAY_MS;
const LINES_PER_REFERRAL = 10;
const LINES_PER_REFUND = 10;
const CAUSES_KEPT = 1_000;
const PAGE_LIMIT = 20;

/** One seller with so many lines in three years, of whom everything is asked that goes by an account's history. */
export async function growHistory(ledger: RunningService, writes: Writes, lines: number): Promise<Queries> {
  const seller = newId('usr');
  const books = new LedgerBooks(ledger);
  const [until, purchases] = [Date.now(), [] as Id<'pur'>[]];
  await books.account(seller, sales(lines, until, purchases));
  for (let left = lines / LINES_PER_REFERRAL; left > 0; left--)
    await books.add('referrals', referral(seller, new Date(until - left)));
  await books.flush();

  const context = contextOf(seller);
  const get = <T>(type: abstract new (...args: never[]) => T): T =>
    ledger.app.get(type as never, { strict: false });
  const [earnings, taxes, referrals] = [get(ReadEarnings), get(ReadTaxReports), get(ReadReferrals)];
  const [creditsAt, statement, journal] = [get(ReadCreditsAt), get(ReadStatement), get(JournalRepository)];
  const sometime = () => new Date(until - Math.random() * HISTORY_MS);
  const refundsOfMonth = (to: Date) => ({
    ...{ types: ['refund_reversal' as const], from: new Date(to.getTime() - 30 * DAY_MS), to },
    limit: PAGE_LIMIT,
  });
  const sold = () => purchases[Math.floor(Math.random() * purchases.length)]!;
  return {
    earnings: () => earnings.execute(context),
    'tax report of this year': () => taxes.one(new Date(until).getUTCFullYear(), context),
    'list of tax years': () => taxes.execute({ limit: PAGE_LIMIT }, context),
    'balance at a time': () => creditsAt.execute(sometime(), context),
    'statement page at a time': () => statement.execute({ to: sometime(), limit: PAGE_LIMIT }, context),
    'statement page by type and time': () => statement.execute(refundsOfMonth(sometime()), context),
    'referrals with totals': () => referrals.execute({ limit: PAGE_LIMIT }, context),
    'entry by its cause': () => journal.findByCause(purchaseCause(sold())),
    'place a hold': () => writes.hold(seller),
    'post an entry': () => writes.spend(seller),
  };
}

/** Sales, and now and then one that is refunded. Notes some of the purchases. */
function* sales(lines: number, until: number, purchases: Id<'pur'>[]): Iterable<Movement> {
  const [price, fee] = [100, 10];
  let last = newId('pur');
  for (let index = 1; index <= lines; index++) {
    const at = new Date(until - HISTORY_MS + (HISTORY_MS * index) / lines);
    const isRefund = index % LINES_PER_REFUND === 0;
    if (!isRefund) last = newId('pur');
    if (!isRefund && purchases.length < CAUSES_KEPT) purchases.push(last);
    const sign = isRefund ? -1 : 1;
    yield {
      ...{ amount: sign * (price - fee), type: isRefund ? 'refund_reversal' : 'earn_sale' },
      ...{ causeId: isRefund ? `purchase_refunded:${last}` : purchaseCause(last), sourceId: last, at },
      others: [
        { account: 'platform:revenue', asset: 'credits', amount: sign * fee },
        { account: 'platform:clearing', asset: 'credits', amount: -sign * price },
      ],
    };
  }
}

function referral(referrerId: Id<'usr'>, at: Date) {
  const [referrer, referee] = [{ userId: referrerId }, { userId: newId('usr') }];
  const started = startReferral(newId('ref'), 'BENCH', referrer, referee, at);
  return { ...started, status: 'completed', creditsGranted: 100, version: 1, completedAt: at };
}
