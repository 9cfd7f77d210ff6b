import { newId, type Id } from '@atelier/kernel';
import { currentContext, runInContext } from '@atelier/observability';
import { aContext, aService, startService, type ServiceUnderTest } from '@atelier/testing';
import { CreditsGranted } from '@atelier/contracts/ledger/credits.events';
import { AccountRepository } from '../accounts/account.repository.js';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { PlaceHold } from '../holds/place-hold.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { userAccount, type EntryDraft } from './entry.domain.js';
import { GroupCommit } from './group-commit.js';
import { PostEntry } from './post-entry.usecase.js';

const context = aContext(aService('studio'));
let ledger: ServiceUnderTest;
beforeAll(async () => {
  ledger = await startService(LedgerModule, ledgerConfig);
});
afterAll(() => ledger.close());

const use = <T>(type: abstract new (...args: never[]) => T, from = ledger): T =>
  from.app.get(type as never, { strict: false });
const grant = (userId: Id<'usr'>, amount: number, causeId: string = newId('pay')): EntryDraft => ({
  causeId,
  sourceId: causeId,
  postings: [
    { account: 'platform:clearing', asset: 'credits', amount: -amount },
    { account: userAccount(userId), asset: 'credits', amount, type: 'earn_purchase' },
  ],
});
const post = (draft: EntryDraft) => use(PostEntry).execute(draft, context);
const hold = (userId: Id<'usr'>, amount: number, from = ledger) =>
  use(PlaceHold, from).execute(
    { holdId: newId('hld'), userId, amount, type: 'spend_enhancement', sourceId: newId('job') },
    context,
  );
const balanceOf = (userId: Id<'usr'>) => use(AccountRepository).load(userId);

/** Changes a balance in a transaction that stays open until it is released, and then comes to nothing. */
async function keep(userId: Id<'usr'>): Promise<() => Promise<void>> {
  const { connection } = ledger.database;
  const session = await connection.startSession();
  session.startTransaction();
  await connection
    .collection('credit_balances')
    .updateOne({ _id: userId as never }, { $inc: { version: 1 } }, { session });
  return async () => {
    await session.abortTransaction();
    await session.endSession();
  };
}

async function commitsDuring(work: () => Promise<unknown>): Promise<number> {
  let commits = 0;
  const count = ({ commandName }: { commandName: string }) => {
    if (commandName === 'commitTransaction') commits++;
  };
  const client = ledger.database.connection.getClient();
  client.on('commandStarted', count);
  await work();
  client.off('commandStarted', count);
  return commits;
}

describe('changes of accounts that are asked for at the same time', () => {
  it('are committed together, and each has its own entry, line and fact', async () => {
    const users = Array.from({ length: 8 }, () => newId('usr'));
    const drafts = users.flatMap((userId) => [grant(userId, 5), grant(userId, 7)]);
    const commits = await commitsDuring(() => Promise.all(drafts.map(post)));
    expect(commits).toBeLessThan(drafts.length / 2);
    for (const userId of users)
      expect(await balanceOf(userId)).toMatchObject({ settled: 12, sequence: 2, version: 2 });
    const granted = await ledger.facts(CreditsGranted);
    const versions = granted.filter(({ subject }) => subject === users[0]).map(({ version }) => version);
    expect(versions).toEqual([1, 2]);
    expect((await use(VerifyBooks).execute()).findings).toEqual([]);
  });

  it('do not fail with the one among them that is refused', async () => {
    const [rich, poor] = [newId('usr'), newId('usr')];
    await post(grant(rich, 10));
    const done = await Promise.allSettled([hold(rich, 4), hold(poor, 1), hold(rich, 6), hold(rich, 1)]);
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect(await balanceOf(rich)).toMatchObject({ settled: 10, held: 10, available: 0 });
    expect(await balanceOf(poor)).toBeUndefined();
  });

  it('do not fail with the one among them whose account somebody else keeps', async () => {
    const [kept, ...others] = Array.from({ length: 9 }, () => newId('usr'));
    for (const userId of [kept!, ...others]) await post(grant(userId, 10));
    const release = await keep(kept!);
    const done = await Promise.allSettled([kept!, ...others].map((userId) => hold(userId, 4)));
    await release();
    expect(done.map(({ status }) => status)).toEqual(['rejected', ...others.map(() => 'fulfilled')]);
    expect(done[0]).toMatchObject({ reason: { code: 'platform.transaction.contended' } });
    await hold(kept!, 4);
    for (const userId of [kept!, ...others]) expect(await balanceOf(userId)).toMatchObject({ held: 4 });
  });

  it('are looked at a second time together, when they were refused for what may be old', async () => {
    const users = Array.from({ length: 8 }, () => newId('usr'));
    await Promise.all(users.map((userId) => post(grant(userId, 10))));
    const refuse = () => Promise.allSettled(users.map((userId) => hold(userId, 11)));
    expect(await commitsDuring(refuse)).toBeLessThanOrEqual(2);
    expect(await commitsDuring(refuse)).toBeLessThanOrEqual(1);
    expect((await refuse()).map(({ status }) => status)).toEqual(users.map(() => 'rejected'));
  });

  it('are decided on each as part of what asked for it, whoever came first', async () => {
    const group = use(GroupCommit);
    const asked = ['first', 'second'].map((correlationId) =>
      runInContext({ ...context, correlationId }, () =>
        group.run({ users: [newId('usr')], decide: () => currentContext()?.correlationId }),
      ),
    );
    expect(await Promise.all(asked)).toEqual(['first', 'second']);
  });

  it('do not fail with the one among them that was posted before', async () => {
    const [again, other] = [newId('usr'), newId('usr')];
    const draft = grant(again, 3);
    await post(draft);
    const [repeated, posted] = await Promise.all([post(draft), post(grant(other, 4))]);
    expect(repeated).toBeUndefined();
    expect(posted?.causeId).toBeDefined();
    expect(await balanceOf(again)).toMatchObject({ settled: 3, sequence: 1 });
    expect(await balanceOf(other)).toMatchObject({ settled: 4, sequence: 1 });
  });
});

describe('a balance that this process remembers', () => {
  it('is neither overwritten nor believed when another replica has changed it', async () => {
    const replica = await startService(LedgerModule, ledgerConfig, {
      MONGODB_DATABASE: ledger.database.connection.name,
    });
    try {
      const userId = newId('usr');
      await post(grant(userId, 10));
      await hold(userId, 10, replica);
      await expect(hold(userId, 1)).rejects.toMatchObject({ code: 'ledger.credits.insufficient' });
      await use(PostEntry, replica).execute(grant(userId, 5), context);
      await hold(userId, 5);
      await post(grant(userId, 1));
      expect(await balanceOf(userId)).toMatchObject({ settled: 16, held: 15, available: 1, sequence: 3 });
      expect((await use(VerifyBooks).execute()).findings).toEqual([]);
    } finally {
      await replica.close();
    }
  });
});

it('an account from before balances kept a hash is linked to its newest entry all the same', async () => {
  const userId = newId('usr');
  const first = await post(grant(userId, 1));
  await ledger.database.connection
    .collection('credit_balances')
    .updateOne({ _id: userId as never }, { $unset: { lastHash: '' }, $inc: { version: 1 } });
  const second = await post(grant(userId, 1));
  expect(second?.links[0]?.previousHash).toBe(first?.hash);
});
