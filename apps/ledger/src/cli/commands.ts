import type { CreditBalance } from '../accounts/account.domain.js';
import type { Finding } from '../audit/books.domain.js';
import {
  userAccount,
  userOf,
  type ChainLink,
  type EarningsAccount,
  type UserAccount,
} from '../journal/entry.domain.js';
import { expiryCauses, grantCauses, startOf, type Month } from '../regeneration/regeneration.domain.js';
import { UsageError, type Command } from './arguments.js';
import type { Books } from './open-books.js';
import { findingLine, stepTable, type Terminal } from './text.js';

/** Accounts that are read at a time. */
const PAGE_ACCOUNTS = 1_000;
/** Shards of one run: many times what a million accounts need. */
const SHARDS_MAX = 1_000_000;
const DONE = 0;
const WRONG = 1;

/** Answers the exit code, as each of them does: 1 when something does not add up, or is not there. */
export function carryOut(
  command: Exclude<Command, { name: 'help' }>,
  books: Books,
  terminal: Terminal,
): Promise<number> {
  switch (command.name) {
    case 'verify':
      return verify(books, terminal);
    case 'rebuild':
      return rebuild(books, command.apply, terminal);
    case 'explain':
      return explain(books, command.id, terminal);
    case 'regenerate':
      return regenerate(books, command, terminal);
  }
}

export async function verify(books: Books, { print, paint }: Terminal): Promise<number> {
  const { entries, accounts, platform, findings } = await books.verifyBooks.execute();
  for (const finding of findings) print(findingLine(finding, paint));
  for (const [account, balance] of Object.entries(platform).sort()) print(`  ${account}: ${balance}`);
  const result = findings.length === 0 ? 'the books balance' : paint('red', `${findings.length} findings`);
  print(`${accounts} accounts, ${entries} entries: ${result}`);
  return findings.length === 0 ? DONE : WRONG;
}

export async function rebuild(books: Books, apply: boolean, { print, paint }: Terminal): Promise<number> {
  let [different, mended, refused, accounts] = [0, 0, 0, 0];
  const tell = (findings: readonly Finding[]) =>
    findings.forEach((found) => print(findingLine(found, paint)));
  const one = async (account: ChainLink['account']) => {
    const result = isOfUser(account)
      ? await books.rebuildAccount.execute(userOf(account), { apply })
      : await books.rebuildEarnings.execute(account, { apply });
    tell(result.refusals);
    tell(result.differences);
    if (result.refusals.length > 0) print(paint('red', `  ${account} is left alone: its journal is damaged`));
    accounts++;
    different += result.differences.length > 0 ? 1 : 0;
    refused += result.refusals.length > 0 ? 1 : 0;
    mended += result.mended ? 1 : 0;
  };
  for await (const { id } of books.accounts.all()) await one(userAccount(id));
  for await (const { id } of books.earnings.all()) await one(`earnings:${id}` as EarningsAccount);
  for await (const account of lostAccounts(books)) await one(account);
  print(`${accounts} accounts: ${different} differ, ${mended} mended, ${refused} refused`);
  if (!apply && different > 0) print('Nothing was changed. With --apply the journal is believed.');
  return refused > 0 || different > mended ? WRONG : DONE;
}

const isOfUser = (account: ChainLink['account']): account is UserAccount => account.startsWith('user:');
const isOfEarnings = (account: ChainLink['account']): account is EarningsAccount => !isOfUser(account);

/** Accounts of both kinds that stand in the chains of entries and have no balance. */
async function* lostAccounts({ journal, accounts, earnings }: Books): AsyncIterable<ChainLink['account']> {
  const lost = new Set<ChainLink['account']>();
  let named = new Set<ChainLink['account']>();
  const look = async () => {
    const missing = [
      ...(await accounts.missingOf([...named].filter(isOfUser).map(userOf))).map(userAccount),
      ...(await earnings.missingOf([...named].filter(isOfEarnings))),
    ].filter((account) => !lost.has(account));
    for (const account of missing) lost.add(account);
    named = new Set();
    return missing;
  };
  for await (const { links } of journal.all()) {
    // Of a damaged entry they may be lost.
    for (const { account } of links ?? []) named.add(account);
    if (named.size >= PAGE_ACCOUNTS) yield* await look();
  }
  yield* await look();
}

export async function explain(books: Books, id: string, { print, paint }: Terminal): Promise<number> {
  print(stepTable(await books.explain.execute(id), paint));
  return DONE;
}

export async function regenerate(
  books: Books,
  { month: asked, dryRun }: { month?: Month | undefined; dryRun: boolean },
  { print, paint }: Terminal,
): Promise<number> {
  const newest = await books.begunMonth.newest();
  const month = asked ?? newest;
  if (month > newest) throw new UsageError(`${month} has not begun by the database's clock`);
  if (dryRun) return preview(books, month, { print, paint });
  for (let shards = 0; shards < SHARDS_MAX; shards++) {
    const report = await books.regenerateShard.execute(month);
    if (!report) break;
    const { shard, accounts, granted, expired } = report;
    print(`  ${shard}: ${accounts} accounts, ${granted} granted, ${expired} expired`);
    if (report.failed > 0) print(paint('red', `  ${shard}: ${report.failed} accounts failed and come again`));
  }
  const grants = await books.journal.totalsOf(grantCauses(month));
  const expiries = await books.journal.totalsOf(expiryCauses(month));
  const { opened, finished } = await books.shards.progress(month);
  print(`${month}: ${grants.entries} grants of ${grants.credits} credits in all`);
  print(`${month}: ${expiries.entries} expiries of ${expiries.credits} credits in all`);
  print(`${month}: ${finished} of ${opened} shards are finished`);
  const isDue = await books.accounts.anyRegeneratedBefore(startOf(month));
  if (isDue) print(paint('red', `${month}: some accounts are still due: run it again in a minute`));
  return isDue || finished < opened ? WRONG : DONE;
}

async function preview(
  { accounts, regenerateAccount }: Books,
  month: Month,
  { print }: Pick<Terminal, 'print' | 'paint'>,
): Promise<number> {
  const totals = new Map<string, { accounts: number; granted: number; expired: number }>();
  for await (const balance of dueAccounts(accounts, month)) {
    const total = totals.get(balance.tier) ?? { accounts: 0, granted: 0, expired: 0 };
    const turns = regenerateAccount.preview(balance, month);
    total.accounts++;
    for (const { granted, expired } of turns) {
      total.granted += granted;
      total.expired += expired;
    }
    totals.set(balance.tier, total);
  }
  for (const [tier, { accounts: count, granted, expired }] of totals) {
    print(`${month} ${tier}: ${count} accounts would get ${granted} and lose ${expired}`);
  }
  print(totals.size === 0 ? `${month}: no account is due` : 'Nothing was changed.');
  return DONE;
}

async function* dueAccounts(accounts: Books['accounts'], month: Month): AsyncIterable<CreditBalance> {
  const END = '\uffff';
  for (let from = ''; ;) {
    const page = await accounts.regeneratedBefore(startOf(month), from, END, PAGE_ACCOUNTS);
    yield* page;
    if (page.length < PAGE_ACCOUNTS) return;
    from = page.at(-1)!.id;
  }
}
