import { DomainError, newId } from '@atelier/kernel';
import {
  assertBalanced,
  CHAIN_START,
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
