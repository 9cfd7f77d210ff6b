import { Clock, derivedId, type Id } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { openAccount, type CreditBalance, type CreditTransaction } from '../accounts/account.domain.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import { HoldRepository } from '../holds/hold.repository.js';
import { userAccount, userOf, type Entry } from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';
import { AccountHistory } from './account-history.js';
import {
  areReadable,
  chainOf,
  checkBalance,
  checkEntry,
  checkJournal,
  checkLine,
  follow,
  lineFields,
  missingAccount,
  type Chain,
  type Finding,
  type Place,
} from './books.domain.js';
import { FINDINGS_MAX } from './verify-account.usecase.js';

/** How often an account is recomputed that moves while it is. */
const ATTEMPTS_MAX = 5;
/** Holds of one purchase or job that are looked through. */
const HOLDS_MAX = 20;

export interface Rebuilt {
  /** What the journal says differently; empty when all is well. */
  readonly differences: readonly Finding[];
  /** What is wrong with the journal itself: then nothing is mended, since nothing can be derived from it. */
  readonly refusals: readonly Finding[];
  readonly mended: boolean;
}

/**
 * Derives an account's balance and statement lines from its journal again. It may run while the ledger works: a
 * balance is put in place only if nothing has moved it since it was read, else the account is recomputed.
 */
@UseCase('ledger.rebuild-account')
export class RebuildAccount {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountRepository,
    private readonly statements: StatementRepository,
    private readonly holds: HoldRepository,
    private readonly journal: JournalRepository,
    private readonly history: AccountHistory,
    private readonly clock: Clock,
  ) {}

  /** Without `apply` nothing is changed. */
  async execute(userId: Id<'usr'>, { apply }: { readonly apply: boolean }): Promise<Rebuilt> {
    for (let attempt = 1; ; attempt++) {
      const { differences, refusals, head, chain } = await this.compare(userId);
      if (!apply || refusals.length > 0 || differences.length === 0) {
        return { differences, refusals, mended: false };
      }
      for await (const [before, place] of this.followed(userId, chain.sequence))
        await this.mendLine(before, place);
      if (await this.mendBalance(userId, head, chain)) return { differences, refusals, mended: true };
      if (attempt >= ATTEMPTS_MAX) throw new Error(`${userId} moves too fast to be mended: try again later`);
    }
  }

  private async compare(userId: Id<'usr'>) {
    const { end, linesBehind, ...head } = await this.database.transaction(async () => {
      // As long as the journal says, whatever the balance says.
      const end = await this.journal.countBehind(userAccount(userId), 0);
      return {
        ...(await this.history.head(userId)),
        end,
        linesBehind: await this.statements.countBehind(userId, end),
      };
    });
    const differences: Finding[] = [];
    const refusals: Finding[] = [];
    let chain = chainOf(userId);
    for await (const place of this.history.places(userId, end)) {
      const found = place.entries.flatMap(checkEntry);
      refusals.push(...found);
      if (!areReadable(found)) break;
      refusals.push(...checkJournal(chain, place));
      differences.push(...checkLine(chain, place));
      chain = follow(chain, place);
      if (refusals.length >= FINDINGS_MAX) break;
    }
    const { balance } = head;
    if (balance) {
      refusals.push(...(await this.history.lostEntry(chain.account, balance.lastEntryId)));
      differences.push(...checkBalance(chain, { ...head, balance, entriesBehind: 0, linesBehind }));
    } else differences.push(...missingAccount(chain.account, end));
    return { differences, refusals, head, chain };
  }

  private async *followed(userId: Id<'usr'>, end: number): AsyncIterable<readonly [Chain, Place]> {
    let chain = chainOf(userId);
    for await (const place of this.history.places(userId, end)) {
      yield [chain, place];
      chain = follow(chain, place);
    }
  }

  private async mendLine(chain: Chain, place: Place): Promise<void> {
    const [entry] = place.entries;
    if (!entry || checkLine(chain, place).length === 0) return;
    const line = await this.lineOf(entry, chain, place);
    await this.database.transaction(() => this.statements.mend(line));
  }

  private async lineOf(entry: Entry, chain: Chain, { sequence, line }: Place): Promise<CreditTransaction> {
    const userId = userOf(chain.account);
    const fields = lineFields(entry, chain) as ReturnType<typeof lineFields> &
      Pick<CreditTransaction, 'type'>;
    const isOfEntry = line?.entryId === entry.id;
    const holds = isOfEntry ? [] : await this.holds.ofSource(entry.sourceId, HOLDS_MAX);
    const captured = holds.find((hold) => hold.userId === userId && hold.status === 'captured');
    const holdId = isOfEntry ? line.holdId : fields.amount < 0 ? captured?.id : undefined;
    return {
      id: isOfEntry ? line.id : derivedId('crt', `${entry.id}:${chain.account}`, entry.createdAt),
      userId,
      ...fields,
      sequence,
      ...(holdId ? { holdId } : {}),
      createdAt: isOfEntry ? line.createdAt : entry.createdAt,
    };
  }

  /** Answers false when the account has moved since it was read. */
  private mendBalance(
    userId: Id<'usr'>,
    {
      balance,
      heldByHolds: held,
    }: Pick<Awaited<ReturnType<AccountHistory['head']>>, 'balance' | 'heldByHolds'>,
    { account: _, settled, ...chain }: Chain,
  ): Promise<boolean> {
    const now = this.clock.now();
    const after: CreditBalance = {
      // A lost row: its tier is the seller of subscriptions' to say again, and no month is given twice. Its version
      // is one that no replica remembers, or a write of theirs would go over it.
      ...(balance ?? { ...openAccount(userId, now), version: now.getTime() }),
      ...{ settled, held, available: settled - held, ...chain },
      updatedAt: balance && balance.updatedAt > now ? balance.updatedAt : now,
    };
    return this.database.transaction(async () => {
      const isMended = await this.accounts.mend(after, balance);
      if (isMended) await this.statements.cut(userId, chain.sequence);
      return isMended;
    });
  }
}
