import { setTimeout as sleep } from 'node:timers/promises';
import { newId, type Actor, type EventEnvelope, type Id } from '@atelier/kernel';
import { aService, seeded, STRESS_SEED } from '@atelier/testing';
import type { PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';
import { holdFor, jobEnded, paid, refunded, sold } from './facts.fixture.js';
import { Killed, LedgerProcess } from './ledger-process.fixture.js';

/** Promise 1, with a real process that is killed again and again. Who is killed when is a matter of the machine. */
const KILLS_MIN = 5;
/** The promise's own size is 32 clients and 10 000 operations: minutes, so it is asked for. */
const CLIENTS = Number(process.env['STRESS_CLIENTS'] ?? 2);
const OPERATIONS_MIN = Number(process.env['STRESS_OPERATIONS'] ?? 0);
const OPERATION_MS_MAX = 100;
const UPTIME_MS = 2_000;
const SNAPSHOT_EVERY_MS = 500;
const USERS = 4;
const OPENING_CREDITS = 2_000;
const TRIES_MAX = 240;
const RETRY_AFTER_MS = 250;
/** More than were in work when the process died: what the broker has no commit for. */
const REDELIVERED_MAX = 25;

const services = { commerce: aService('commerce'), studio: aService('studio') };
const users = Array.from({ length: USERS }, () => newId('usr'));
let ledger: LedgerProcess;
beforeAll(async () => {
  ledger = await LedgerProcess.create();
}, 120_000);
afterAll(() => ledger.stop());

/** As a client does: the same request again, until somebody has answered it. */
async function insist<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Killed) || tries === TRIES_MAX) throw error;
      await sleep(RETRY_AFTER_MS);
    }
  }
}

const told: EventEnvelope[] = [];
async function tell(event: EventEnvelope): Promise<void> {
  told.push(event);
  await insist(() => ledger.ask('publish', [event]));
}
const post = (actor: Actor, path: string, body: unknown) =>
  insist(async () => {
    const reply = await ledger.request(actor, 'POST', path, body);
    // A request that was cut off by the end of its database connection is answered with 503, if at all.
    if (reply.status >= 500) throw new Killed(`answered ${reply.status}`);
    return reply;
  });

/** What each user must have in the end, by plain sums. */
const expected = new Map<Id<'usr'>, number>();
const book = (userId: Id<'usr'>, amount: number) =>
  expected.set(userId, (expected.get(userId) ?? 0) + amount);
const statuses = new Map<number, number>();
async function placed(actor: Actor, hold: PlaceHoldRequest): Promise<boolean> {
  const { status } = await post(actor, '/internal/holds', hold);
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  return status === 201;
}

/** Of each client. */
const done = Array.from({ length: CLIENTS }, () => 0);
const operations = () => done.reduce((sum, count) => sum + count, 0);
async function client(number: number, isOver: () => boolean): Promise<void> {
  const pick = seeded(STRESS_SEED + number);
  for (; !isOver(); done[number]!++) {
    const [from, amount] = [users[pick(USERS)]!, 1 + pick(200)];
    const to = users.filter((user) => user !== from)[pick(USERS - 1)]!;
    switch (pick(5)) {
      case 0: {
        await tell(paid(from, amount));
        book(from, amount);
        break;
      }
      case 1: {
        const hold = holdFor('job', from, amount);
        if (!(await placed(services.studio, hold))) break;
        const charged = pick(amount + 1);
        await tell(jobEnded(hold, charged));
        book(from, -charged);
        break;
      }
      case 2: {
        const hold = holdFor('pur', from, amount);
        if (!(await placed(services.commerce, hold))) break;
        const { status } = await post(services.commerce, `/internal/holds/${hold.holdId}/release`, {
          reason: 'canceled',
        });
        expect(status).toBe(200);
        break;
      }
      default: {
        const hold = holdFor('pur', from, amount);
        if (!(await placed(services.commerce, hold))) break;
        const fee = Math.floor(amount / 5);
        await tell(sold(hold, to, fee));
        book(from, -amount);
        book(to, amount - fee);
        if (pick(4) > 0) break;
        await tell(refunded(hold, to, fee));
        book(from, amount);
        book(to, fee - amount);
      }
    }
  }
}

/** All sums in one snapshot, computed here and not by the ledger. */
async function expectSumsToBeZero(): Promise<void> {
  const { database } = ledger;
  const sums = await database.transaction(async (session) => {
    const sum = async (collection: string, field: string, unwind: object[] = []) => {
      const stages = [...unwind, { $group: { _id: null, sum: { $sum: `$${field}` } } }];
      const rows = database.connection.collection(collection).aggregate<{ sum: number }>(stages, { session });
      return (await rows.toArray())[0]?.sum ?? 0;
    };
    const postings = [{ $unwind: '$postings' }];
    const ofPlatform = { $match: { 'postings.account': { $regex: '^platform:' } } };
    const settled = await sum('credit_balances', 'settled');
    const platform = await sum('journal_entries', 'postings.amount', [...postings, ofPlatform]);
    return {
      debitsAndCredits: await sum('journal_entries', 'postings.amount', postings),
      balances: settled + platform,
      statements: settled - (await sum('credit_transactions', 'amount')),
    };
  });
  expect(sums).toEqual({ debitsAndCredits: 0, balances: 0, statements: 0 });
}

describe(`a ledger that is killed every ${UPTIME_MS} ms (STRESS_SEED=${STRESS_SEED})`, () => {
  it(
    'conserves credits at every snapshot, and in the end has done all of it once (promise 1, promise 9)',
    async () => {
      for (const user of users) {
        await tell(paid(user, OPENING_CREDITS));
        book(user, OPENING_CREDITS);
      }
      let snapshots = 0;
      const isOver = () =>
        ledger.kills >= KILLS_MIN &&
        snapshots > ledger.kills &&
        done.every((count) => count > 0) &&
        operations() >= OPERATIONS_MIN;
      const watch = async () => {
        for (; !isOver(); snapshots++) {
          await expectSumsToBeZero();
          await sleep(SNAPSHOT_EVERY_MS);
        }
      };
      const killer = async () => {
        while (!isOver()) {
          await sleep(UPTIME_MS);
          await ledger.kill();
          await expectSumsToBeZero();
          await ledger.start();
          await ledger.ask('publish', told.slice(-REDELIVERED_MAX));
        }
      };
      await Promise.all([killer(), watch(), ...done.map((_, number) => client(number, isOver))]);

      await ledger.ask('publish', told);
      for (const user of users) {
        const actor = { kind: 'user', id: user, role: 'user' } as const;
        const { body } = await ledger.request(actor, 'GET', '/api/v1/billing/credits');
        const settled = expected.get(user)!;
        expect(body).toEqual({ settled, held: 0, available: settled });
      }
      expect(await ledger.ask('findings')).toEqual([]);
      expect(await ledger.ask('deadLetters')).toEqual([]);
      await expectSumsToBeZero();
      process.stdout.write(`${ledger.kills} kills, ${snapshots} snapshots, ${operations()} operations\n`);
    },
    180_000 + OPERATIONS_MIN * OPERATION_MS_MAX,
  );
});
