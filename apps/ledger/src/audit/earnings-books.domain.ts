import type { EarningsBalance } from '../earnings/earnings.domain.js';
import { CHAIN_START, type EarningsAccount, type Entry } from '../journal/entry.domain.js';
import { differs, type Finding } from './books.domain.js';

/** An account of money as its chain of entries makes it, as far as it was followed. It has no statement lines. */
export interface EarningsChain {
  readonly account: EarningsAccount;
  readonly sequence: number;
  readonly settled: number;
  readonly lastEntryId: Entry['id'] | null;
  readonly lastHash: string;
}

export const earningsChainOf = (account: EarningsAccount): EarningsChain => ({
  account,
  ...{ sequence: 0, settled: 0, lastEntryId: null, lastHash: CHAIN_START },
});

/** Follows the chain by one entry. */
export function followEarnings(chain: EarningsChain, entry: Entry): EarningsChain {
  const posting = entry.postings.find(({ account }) => account === chain.account);
  return {
    ...chain,
    sequence: chain.sequence + 1,
    settled: chain.settled + (posting?.amount ?? 0),
    lastEntryId: entry.id,
    lastHash: entry.hash,
  };
}

/** What is wrong with the next entry's place in the chain. */
export function checkEarningsLink({ account, sequence, lastHash }: EarningsChain, entry: Entry): Finding[] {
  const link = entry.links.find((candidate) => candidate.account === account)!;
  return [
    ...differs(account, entry.id, 'its place in the chain is another', sequence + 1, link.sequence),
    ...differs(account, entry.id, 'it is not linked to the entry before it', lastHash, link.previousHash),
  ];
}

/** A chain that was followed to its end has all the entries that name the account. */
export const checkEarningsEnd = (
  { account, sequence, lastEntryId }: EarningsChain,
  entries: number,
): Finding[] =>
  differs(
    account,
    lastEntryId,
    'entries stand behind a gap in its chain',
    0,
    Math.max(0, entries - sequence),
  );

/** Compares the balance with what the whole chain makes it. */
export function checkEarnings(
  chain: EarningsChain,
  balance: Pick<EarningsBalance, 'sequence' | 'lastEntryId' | 'settled'>,
  entriesBehind = 0,
): Finding[] {
  const { account, lastEntryId: last } = chain;
  return [
    ...differs(account, last, 'entries stand behind the end of its chain', 0, entriesBehind),
    ...differs(account, last, 'the account has another number of entries', chain.sequence, balance.sequence),
    ...differs(
      account,
      last,
      'the account ends with another entry',
      last ?? 'none',
      balance.lastEntryId ?? 'none',
    ),
    ...differs(
      account,
      last,
      'the settled balance is not the sum of the entries',
      chain.settled,
      balance.settled,
    ),
    ...(balance.settled < 0
      ? differs(account, last, 'more was paid out than was owed', '0 or more', balance.settled)
      : []),
  ];
}
