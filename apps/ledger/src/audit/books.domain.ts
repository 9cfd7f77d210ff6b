import type { Id } from '@atelier/kernel';
import type { CreditBalance, CreditTransaction } from '../accounts/account.domain.js';
import { CHAIN_START, hashOf, userAccount, type Entry } from '../journal/entry.domain.js';

/** One thing that does not add up: where, by which entry, and the amounts. */
export interface Finding {
  readonly account: string;
  readonly entryId: string | null;
  readonly problem: string;
  readonly expected: string | number;
  readonly found: string | number;
}

/** What an entry says about itself: its postings sum to zero, and its hash is of what it says. */
export function checkEntry(entry: Entry): Finding[] {
  const account = entry.postings.map((posting) => posting.account).join(', ');
  const sum = entry.postings.reduce((total, { amount }) => total + amount, 0);
  return [
    ...differs(account, entry.id, 'its postings do not sum to zero', 0, sum),
    ...differs(account, entry.id, 'its hash is not of what it says', hashOf(entry), entry.hash),
  ];
}

/** Recomputes one account from its chain of entries and compares all that was stored about it. */
export function checkAccount(
  balance: CreditBalance,
  entries: readonly Entry[],
  lines: readonly CreditTransaction[],
  heldByHolds: number,
): Finding[] {
  const account = userAccount(balance.id);
  const findings: Finding[] = [];
  const expect = (
    entryId: string | null,
    problem: string,
    expected: string | number,
    found: string | number,
  ) => findings.push(...differs(account, entryId, problem, expected, found));
  let settled = 0;
  let previousHash = CHAIN_START;
  entries.forEach((entry, index) => {
    const link = entry.links.find((candidate) => candidate.account === account)!;
    const { amount } = entry.postings.find((posting) => posting.account === account) ?? { amount: 0 };
    const line = lines[index];
    settled += amount;
    expect(entry.id, 'its place in the chain is another', index + 1, link.sequence);
    expect(entry.id, 'it is not linked to the entry before it', previousHash, link.previousHash);
    expect(entry.id, 'its statement line is of another entry', entry.id, line?.entryId ?? 'none');
    expect(entry.id, 'its statement line has another amount', amount, line?.amount ?? 'none');
    expect(
      entry.id,
      'its statement line has another balance after it',
      settled,
      line?.balanceAfter ?? 'none',
    );
    previousHash = entry.hash;
  });
  const last = entries.at(-1)?.id ?? null;
  expect(last, 'the account has another number of entries', entries.length, balance.sequence);
  expect(last, 'the account has another number of statement lines', entries.length, lines.length);
  expect(last, 'the account ends with another entry', last ?? 'none', balance.lastEntryId ?? 'none');
  expect(last, 'the settled balance is not the sum of the entries', settled, balance.settled);
  expect(null, 'the held balance is not the sum of the open holds', heldByHolds, balance.held);
  expect(null, 'available is not settled − held', balance.settled - balance.held, balance.available);
  return findings;
}

/** An account that entries name and that is not there. */
export function missingAccount(userId: Id<'usr'>, entries: readonly Entry[]): Finding[] {
  const account = userAccount(userId);
  const entryId = entries.at(-1)?.id ?? null;
  return differs(account, entryId, 'the account has no balance', `${entries.length} entries`, 'none');
}

const differs = (
  account: string,
  entryId: string | null,
  problem: string,
  expected: string | number,
  found: string | number,
): Finding[] => (expected === found ? [] : [{ account, entryId, problem, expected, found }]);
