import type { Id } from '@atelier/kernel';
import type { CreditBalance } from '../accounts/account.domain.js';
import type { Finding } from '../audit/books.domain.js';
import { isUserPosting, userOf } from '../journal/entry.domain.js';
import {
  expiryCauses,
  grantCauses,
  monthOf,
  startOf,
  type Month,
} from '../regeneration/regeneration.domain.js';
import type { Books } from './open-books.js';
import { findingLine, stepTable, type Terminal } from './text.js';

/** Accounts that are read at a time. */
const PAGE_ACCOUNTS = 1_000;
/** Shards of one run: many times what a million accounts need. */
const SHARDS_MAX = 1_000_000;
const DONE = 0;
const WRONG = 1;

/** Each answers the exit code: 1 when something does not add up, or is not there. */
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
  const one = async (userId: Id<'usr'>) => {
    const result = await books.rebuildAccount.execute(userId, { apply });
    tell(result.refusals);
    tell(result.differences);
    if (result.refusals.length > 0)
      print(paint('red', `  user:${userId} is left alone: its journal is damaged`));
    accounts++;
    different += result.differences.length > 0 ? 1 : 0;
    refused += result.refusals.length > 0 ? 1 : 0;
    mended += result.mended ? 1 : 0;
  };
  for await (const balance of books.accounts.all()) await one(balance.id);
  for await (const userId of lostAccounts(books)) await one(userId);
  print(`${accounts} accounts: ${different} differ, ${mended} mended, ${refused} refused`);
  if (!apply && different > 0) print('Nothing was changed. With --apply the journal is believed.');
  return refused > 0 || different > mended ? WRONG : DONE;
}

/** Users whom entries name and who have no balance. */
async function* lostAccounts({ journal, accounts }: Books): AsyncIterable<Id<'usr'>> {
  const lost = new Set<Id<'usr'>>();
  let named = new Set<Id<'usr'>>();
  const look = async () => {
    const missing = (await accounts.missingOf([...named])).filter((id) => !lost.has(id));
    for (const id of missing) lost.add(id);
    named = new Set();
    return missing;
  };
  for await (const { postings } of journal.all()) {
    for (const posting of postings.filter(isUserPosting)) named.add(userOf(posting.account));
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
  { month = monthOf(books.clock.now()), dryRun }: { month?: Month | undefined; dryRun: boolean },
  { print, paint }: Terminal,
): Promise<number> {
  if (dryRun) return preview(books, month, { print, paint });
  let failed = 0;
  for (let shards = 0; shards < SHARDS_MAX; shards++) {
    const report = await books.regenerateShard.execute(month);
    if (!report) break;
    const { shard, accounts, granted, expired } = report;
    print(`  ${shard}: ${accounts} accounts, ${granted} granted, ${expired} expired`);
    if (report.failed > 0) print(paint('red', `  ${shard}: ${report.failed} accounts failed and come again`));
    failed += report.failed;
  }
  const grants = await books.journal.totalsOf(grantCauses(month));
  const expiries = await books.journal.totalsOf(expiryCauses(month));
  const { opened, finished } = await books.shards.progress(month);
  print(`${month}: ${grants.entries} grants of ${grants.credits} credits in all`);
  print(`${month}: ${expiries.entries} expiries of ${expiries.credits} credits in all`);
  print(`${month}: ${finished} of ${opened} shards are finished`);
  return failed > 0 || finished < opened ? WRONG : DONE;
}

async function preview(
  { accounts, regenerateAccount }: Books,
  month: Month,
  { print }: Pick<Terminal, 'print' | 'paint'>,
): Promise<number> {
  const totals = new Map<string, { accounts: number; granted: number; expired: number }>();
  for await (const balance of dueAccounts(accounts, month)) {
    const total = totals.get(balance.tier) ?? { accounts: 0, granted: 0, expired: 0 };
    const turns = await regenerateAccount.preview(balance, month);
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
