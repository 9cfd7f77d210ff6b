import type { Id } from '@atelier/kernel';
import {
  countsAfter,
  NOTHING_COUNTED,
  type Counts,
  type CreditBalance,
  type CreditTransaction,
} from '../accounts/account.domain.js';
import { CHAIN_START, hashOf, isUserPosting, userAccount, type Entry } from '../journal/entry.domain.js';

/** One thing that does not add up: where, by which entry, and the amounts. */
export interface Finding {
  readonly account: string;
  readonly entryId: string | null;
  readonly problem: string;
  readonly expected: string | number;
  readonly found: string | number;
}

const UNREADABLE = 'it cannot be read';

/** What an entry says about itself: its postings sum to zero, and its hash is of what it says. */
export function checkEntry(entry: Entry): Finding[] {
  try {
    return [...checkSums(entry), ...checkHash(entry)];
  } catch (error) {
    // Something in it is not there, or of another kind than any entry has it.
    return differs('journal', entry.id, UNREADABLE, 'an entry', String(error));
  }
}

/** Whether what these findings are about can be followed: nothing but `checkEntry` may touch what cannot be read. */
export const areReadable = (findings: readonly Finding[]): boolean =>
  findings.every(({ problem }) => problem !== UNREADABLE);

function checkSums({ id, postings }: Entry): Finding[] {
  const sums = Map.groupBy(postings, ({ asset }) => asset);
  return [...sums.values()].flatMap((of) =>
    differs(
      accountsOf(postings),
      id,
      'its postings do not sum to zero',
      0,
      of.reduce((total, { amount }) => total + amount, 0),
    ),
  );
}

const checkHash = (entry: Entry): Finding[] =>
  differs(accountsOf(entry.postings), entry.id, 'its hash is not of what it says', hashOf(entry), entry.hash);

const accountsOf = (postings: Entry['postings']): string => postings.map(({ account }) => account).join(', ');

/** An account as its chain of entries makes it, as far as it was followed. */
export interface Chain extends Counts {
  readonly account: ReturnType<typeof userAccount>;
  readonly sequence: number;
  readonly settled: number;
  readonly lastEntryId: Id<'jrn'> | null;
  readonly lastHash: string;
}

/** What stands at one place of an account's chain. There is one entry and one line, or something is wrong. */
export interface Place {
  readonly sequence: number;
  readonly entries: readonly Entry[];
  readonly line: CreditTransaction | undefined;
}

export const chainOf = (userId: Id<'usr'>): Chain => ({
  account: userAccount(userId),
  sequence: 0,
  settled: 0,
  ...NOTHING_COUNTED,
  lastEntryId: null,
  lastHash: CHAIN_START,
});

/** What an entry does to an account, as its statement has to tell it. */
export function lineFields(entry: Entry, chain: Chain) {
  const posting = entry.postings.filter(isUserPosting).find(({ account }) => account === chain.account);
  const amount = posting?.amount ?? 0;
  const type = posting?.type ?? ('none' as const);
  return { entryId: entry.id, sourceId: entry.sourceId, type, amount, balanceAfter: chain.settled + amount };
}

/** Follows the chain by one place, as the journal has it. */
export function follow(chain: Chain, { sequence, entries: [entry] }: Place): Chain {
  if (!entry) return { ...chain, sequence };
  const { amount, type, balanceAfter: settled } = lineFields(entry, chain);
  const counts = type === 'none' ? {} : countsAfter(chain, { type, amount });
  return { ...chain, ...counts, sequence, settled, lastEntryId: entry.id, lastHash: entry.hash };
}

/** What is wrong with the journal itself at a place. Nothing can be derived from a journal that is wrong. */
export function checkJournal({ account, lastHash }: Chain, { sequence, entries }: Place): Finding[] {
  const [entry, twin] = entries;
  if (!entry)
    return differs(account, null, `the entry at ${sequence} of the chain is missing`, 'an entry', 'none');
  const link = entry.links.find((candidate) => candidate.account === account)!;
  return [
    ...differs(account, entry.id, 'it shares its place in the chain', 'none', twin?.id ?? 'none'),
    ...differs(account, entry.id, 'it is not linked to the entry before it', lastHash, link.previousHash),
  ];
}

const LINE_PROBLEMS = {
  entryId: 'its statement line is of another entry',
  amount: 'its statement line has another amount',
  balanceAfter: 'its statement line has another balance after it',
  type: 'its statement line has another type',
  sourceId: 'its statement line has another source',
} as const;

/** What the statement says differently from the journal at a place. */
export function checkLine(chain: Chain, { entries: [entry], line }: Place): Finding[] {
  if (!entry) return [];
  const fields = lineFields(entry, chain);
  if (!line) return differs(chain.account, entry.id, 'its statement line is missing', fields.amount, 'none');
  return (Object.keys(LINE_PROBLEMS) as (keyof typeof LINE_PROBLEMS)[]).flatMap((field) =>
    differs(chain.account, entry.id, LINE_PROBLEMS[field], fields[field], line[field]),
  );
}

/** What is stored about an account beside its chain, and beyond the end of it. */
export interface Stored {
  readonly balance: CreditBalance;
  readonly heldByHolds: number;
  readonly entriesBehind: number;
  readonly linesBehind: number;
}

/** Compares the balance with what the whole chain makes it. */
export function checkBalance(chain: Chain, stored: Stored): Finding[] {
  const { balance, heldByHolds, entriesBehind, linesBehind } = stored;
  const last = chain.lastEntryId;
  const expect = (
    entryId: string | null,
    problem: string,
    expected: string | number,
    found: string | number,
  ) => differs(chain.account, entryId, problem, expected, found);
  return [
    ...expect(last, 'entries stand behind the end of its chain', 0, entriesBehind),
    ...expect(last, 'statement lines stand behind the end of its chain', 0, linesBehind),
    ...expect(last, 'the account has another number of entries', chain.sequence, balance.sequence),
    ...expect(last, 'the account ends with another entry', last ?? 'none', balance.lastEntryId ?? 'none'),
    // Balances from before they kept it have none.
    ...expect(last, 'the account ends with another hash', chain.lastHash, balance.lastHash || chain.lastHash),
    ...expect(last, 'the settled balance is not the sum of the entries', chain.settled, balance.settled),
    ...expect(last, 'another part of it was regenerated', chain.perishable, balance.perishable),
    ...expect(last, 'its sales brought another sum', chain.soldCredits, balance.soldCredits),
    ...expect(last, 'payouts took another sum', chain.paidOutCredits, balance.paidOutCredits),
    ...expect(null, 'the held balance is not the sum of the open holds', heldByHolds, balance.held),
    ...expect(null, 'available is not settled − held', balance.settled - balance.held, balance.available),
  ];
}

/** An account that entries name and that is not there. */
export const missingAccount = (account: string, entries: number): Finding[] =>
  entries === 0 ? [] : differs(account, null, 'the account has no balance', `${entries} entries`, 'none');

/** All users and the platform together: every entry sums to zero in each asset, so all of them do. */
export const checkSum = (asset: string, settled: number, platform: number): Finding[] =>
  differs('platform', null, `users and platform together are not zero ${asset}`, -platform, settled);

export const differs = (
  account: string,
  entryId: string | null,
  problem: string,
  expected: string | number,
  found: string | number,
): Finding[] => (expected === found ? [] : [{ account, entryId, problem, expected, found }]);
