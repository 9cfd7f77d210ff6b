import type { EventEnvelope } from '@atelier/kernel';
import type { PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';

/**
 * Credits as one would keep them on paper: no journal, no database, nothing at the same time. What the ledger
 * answers must be this, whatever happened to it in between.
 */
export interface Account {
  isOpen: boolean;
  isRegistered: boolean;
  settled: number;
  held: number;
  tier: Tier;
  /** What is left of regenerated credits: they are used first. */
  regenerated: number;
  /** Months since year 0. */
  month: number;
  /** What sales have brought, and payouts have taken. */
  sales: number;
  paidOut: number;
  readonly redeemed: Set<VoucherKind>;
  isBonusWaiting: boolean;
  payout?: { readonly id: string; readonly credits: number };
}
export interface ModelHold {
  readonly request: PlaceHoldRequest;
  readonly kind: 'pur' | 'job';
  readonly user: number;
  readonly expiresAt: Date;
  status: 'held' | 'captured' | 'released' | 'expired';
  isRefunded: boolean;
}
/** A package, with the bonus that it carried. */
export interface ModelPayment {
  readonly user: number;
  readonly fact: EventEnvelope;
  readonly credits: number;
  isRefunded: boolean;
}
export interface Model {
  now: Date;
  readonly accounts: readonly Account[];
  readonly holds: ModelHold[];
  readonly payments: ModelPayment[];
  fixedUsesLeft: number;
}

export type Tier = 'free' | 'basic' | 'standard' | 'premium';
export type VoucherKind = 'fixed' | 'bonus';
export const STARTER = 50;
export const FIXED = { value: 25, maxUses: 2 };
export const BONUS_PERCENT = 50;
const GRANTS = { free: 50, basic: 500, standard: 2_000, premium: 6_000 };
const KEPT = { free: 0, basic: 250, standard: 1_000, premium: 3_000 };

export const newModel = (users: number, now: Date): Model => ({
  now,
  accounts: Array.from({ length: users }, () => ({
    ...{ isOpen: false, isRegistered: false, settled: 0, held: 0, tier: 'free' as const },
    ...{ regenerated: 0, month: 0, sales: 0, paidOut: 0, redeemed: new Set<VoucherKind>() },
    isBonusWaiting: false,
  })),
  holds: [],
  payments: [],
  fixedUsesLeft: FIXED.maxUses,
});

export const available = ({ settled, held }: Account): number => settled - held;
export const monthOf = (at: Date): number => at.getUTCFullYear() * 12 + at.getUTCMonth();
export const payable = (account: Account): number =>
  Math.max(0, Math.min(account.sales - account.paidOut, available(account)));

/** The first thing that happens to an account opens it. */
export function open(model: Model, user: number): Account {
  const account = model.accounts[user]!;
  if (!account.isOpen) account.month = monthOf(model.now);
  account.isOpen = true;
  return account;
}

export function pay(model: Model, user: number, credits: number, fact: EventEnvelope): void {
  const account = open(model, user);
  const bonus = account.isBonusWaiting ? Math.floor((credits * BONUS_PERCENT) / 100) : 0;
  account.settled += credits + bonus;
  if (bonus > 0) account.isBonusWaiting = false;
  model.payments.push({ user, fact, credits: credits + bonus, isRefunded: false });
}

/** All of it goes back, whatever was spent of it. */
export function payBack(model: Model, payment: ModelPayment): void {
  if (payment.isRefunded) return;
  payment.isRefunded = true;
  model.accounts[payment.user]!.settled -= payment.credits;
}

export function use(account: Account, credits: number): void {
  account.settled -= credits;
  account.regenerated = Math.max(0, account.regenerated - credits);
}

/** The seller of every purchase is the next user; a fifth is the platform's. */
export const sellerOf = (model: Model, { user }: ModelHold): number => (user + 1) % model.accounts.length;
export const feeOf = ({ request }: ModelHold): number => Math.floor(request.amount / 5);

/** A capture after the expiry stands; after a release, or another capture, there is nothing to do. */
export function capture(model: Model, hold: ModelHold, credits: number): void {
  if (hold.status === 'captured' || hold.status === 'released') return;
  const buyer = model.accounts[hold.user]!;
  if (hold.status === 'held') buyer.held -= hold.request.amount;
  hold.status = 'captured';
  use(buyer, credits);
  if (hold.kind === 'pur') sell(model, hold, credits - feeOf(hold));
}

function sell(model: Model, hold: ModelHold, earnings: number): void {
  const seller = open(model, sellerOf(model, hold));
  seller.settled += earnings;
  seller.sales += earnings;
}

/** What comes back was bought, and never expires. */
export function refund(model: Model, hold: ModelHold): void {
  if (hold.isRefunded) return;
  hold.isRefunded = true;
  model.accounts[hold.user]!.settled += hold.request.amount;
  sell(model, hold, feeOf(hold) - hold.request.amount);
}

export function end(model: Model, hold: ModelHold, status: 'released' | 'expired'): void {
  if (hold.status !== 'held') return;
  hold.status = status;
  model.accounts[hold.user]!.held -= hold.request.amount;
}

export function expire(model: Model): void {
  for (const hold of model.holds) if (hold.expiresAt <= model.now) end(model, hold, 'expired');
}

/** Month after month: what was not used and may not be kept is lost, then the tier's credits come. */
export function regenerate(model: Model): void {
  for (const account of model.accounts.filter(({ isOpen }) => isOpen)) {
    for (; account.month < monthOf(model.now); account.month++) {
      const unused = Math.max(0, Math.min(account.regenerated - account.held, available(account)));
      const lost = Math.max(0, unused - KEPT[account.tier]);
      const turn = GRANTS[account.tier] - lost;
      account.settled += turn;
      account.regenerated += turn;
    }
  }
}
