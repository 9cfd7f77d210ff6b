import { DomainError, newId } from '@atelier/kernel';
import {
  assertBalanced,
  CHAIN_START,
  earningsAccount,
  hashOf,
  sealEntry,
  userAccount,
  userPostings,
  type EntryDraft,
  type Posting,
} from './entry.domain.js';

const [ada, bob] = [userAccount(newId('usr', 1)), userAccount(newId('usr', 2))];
const from = (amount: number): Posting => ({
  account: ada,
  asset: 'credits',
  amount,
  type: 'spend_marketplace',
});
const to = (amount: number): Posting => ({ account: bob, asset: 'credits', amount, type: 'earn_sale' });
const fee = (amount: number): Posting => ({ account: 'platform:revenue', asset: 'credits', amount });
const draft = (...postings: Posting[]): EntryDraft => ({ causeId: 'test:1', sourceId: 'pur_1', postings });

describe('a draft', () => {
  it('may be posted when its postings sum to zero (R243)', () => {
    expect(() => assertBalanced(draft(from(-100), to(80), fee(20)))).not.toThrow();
  });

  it.each([
    ['does not sum to zero', draft(from(-100), to(80), fee(19))],
    ['has a fraction of a credit', draft(from(-0.5), to(0.5))],
    ['has an amount beyond safe integers', draft(from(-(2 ** 53)), to(2 ** 53))],
    ['moves nothing', draft(from(0), to(0))],
    ['names an account twice', draft(from(-100), from(50), to(50))],
    ['is empty', draft()],
  ])('is refused when it %s', (_, wrong) => {
    expect(() => assertBalanced(wrong)).toThrow(DomainError);
  });

  it('is refused when a movement has a type that is not known (R511)', () => {
    const strange = { ...to(100), type: 'earn_box' } as unknown as Posting;
    expect(() => assertBalanced(draft(from(-100), strange))).toThrow('earn_box is no type');
  });

  it('may be posted in two assets when each sums to zero, one account in both', () => {
    const [earned, out] = [earningsAccount(newId('usr', 1), 'USD'), 'platform:payouts' as const];
    const inCredits: Posting = { account: out, asset: 'credits', amount: 10 };
    const inMoney = (amount: number): Posting => ({ account: out, asset: 'USD', amount });
    const owed = (amount: number): Posting => ({ account: earned, asset: 'USD', amount });
    expect(() => assertBalanced(draft(from(-10), inCredits, inMoney(-30), owed(30)))).not.toThrow();
    expect(() => assertBalanced(draft(from(-10), inCredits, inMoney(-30), owed(29)))).toThrow(DomainError);
    expect(() => assertBalanced(draft(from(-10), inMoney(10)))).toThrow(DomainError);
  });

  it('locks accounts in one order, whichever way the credits go', () => {
    const accounts = (of: EntryDraft) => userPostings(of).map(({ account }) => account);
    expect(accounts(draft(from(-1), to(1)))).toEqual(accounts(draft(to(1), from(-1))));
  });
});

describe('a sealed entry', () => {
  const entry = sealEntry(draft(from(-100), to(80), fee(20)), {
    id: newId('jrn'),
    links: [{ account: ada, sequence: 1, previousHash: CHAIN_START }],
    correlationId: 'req_1',
    createdAt: new Date('2026-11-21T08:00:00.000Z'),
  });

  it('has the hash of what it says', () => {
    expect(hashOf(entry)).toBe(entry.hash);
  });

  it('has the hash that it had before there was money: nothing that was posted changes', () => {
    const buyer = 'user:usr_01m7y1j20qe008c1f3vesc43m3';
    const old = {
      id: 'jrn_01m7y1j20qe008c1f3vesc43m3',
      ...{ causeId: 'purchase_completed:pur_1', sourceId: 'pur_1' },
      postings: [
        { account: buyer, asset: 'credits', amount: -100, type: 'spend_marketplace' },
        { account: 'user:usr_01m7y1j20qe00tx1bzgqw12hbc', asset: 'credits', amount: 80, type: 'earn_sale' },
        { account: 'platform:revenue', asset: 'credits', amount: 20 },
      ],
      links: [{ account: buyer, sequence: 2, previousHash: 'abc' }],
      ...{ correlationId: 'req_1', createdAt: new Date('2026-11-21T08:00:00.000Z') },
    } as const;
    expect(hashOf(old)).toBe('9d61f4cee10268c5ee4dfb7f6ff5fdd87f8b29f849df274695dae97d2e12c5c2');
  });

  it.each([
    ['an amount', { postings: [from(-101), to(81), fee(20)] }],
    ['a statement type', { postings: [{ ...from(-100), type: 'refund' } as Posting, to(80), fee(20)] }],
    ['its cause', { causeId: 'test:2' }],
    ['its source', { sourceId: 'pur_2' }],
    ['its time', { createdAt: new Date(0) }],
    ['what it reverses', { reverses: newId('jrn') }],
    ['its place in the chain', { links: [{ account: ada, sequence: 2, previousHash: CHAIN_START }] }],
    ['the entry before it', { links: [{ account: ada, sequence: 1, previousHash: 'x' }] }],
  ])('shows that somebody changed %s', (_, change) => {
    expect(hashOf({ ...entry, ...change })).not.toBe(entry.hash);
  });
});
