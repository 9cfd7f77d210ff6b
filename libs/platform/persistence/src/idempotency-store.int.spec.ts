import { aDatabaseName, eventually, openDatabase, type OpenDatabase } from '@atelier/testing';
import { MongoIdempotencyStore } from './idempotency-store.js';

const TTL_MS = 60_000;
const LEASE_MS = 30_000;
const answer = { status: 201, headers: { location: '/x' }, body: '{"id":1}' };

describe('the idempotency keys of a service', () => {
  let open: OpenDatabase<MongoIdempotencyStore>;
  const begin = (seed: string, hash = 'hash', leaseMs = LEASE_MS) =>
    open.repositories.begin(seed, hash, TTL_MS, leaseMs);

  beforeAll(async () => {
    open = await openDatabase(
      { database: 'shop', name: aDatabaseName('shop') },
      (database) => new MongoIdempotencyStore(database),
    );
  });
  afterAll(async () => {
    await open.database.connection.dropDatabase();
    await open.close();
  });

  it('start one of many that come at once; the others are told that it is at work', async () => {
    const states = await Promise.all(Array.from({ length: 20 }, () => begin('at once')));
    expect(states.filter(({ state }) => state === 'started')).toHaveLength(1);
    const others = states.filter(({ state }) => state !== 'started');
    expect(others).toHaveLength(19);
    for (const other of others) expect(other.state).toBe('in_flight');
    expect(await begin('at once')).toEqual({ state: 'in_flight' });
  });

  const start = async (seed: string, leaseMs = LEASE_MS) => {
    const begun = await begin(seed, 'hash', leaseMs);
    if (begun.state !== 'started') throw new Error(`${seed} is ${begun.state}`);
    return begun;
  };

  it('replay the first answer, and refuse another request under the same key', async () => {
    const { run } = await start('answered');
    await open.repositories.complete('answered', run, answer);
    expect(await begin('answered')).toEqual({ state: 'replay', ...answer });
    expect(await begin('answered', 'another hash')).toEqual({ state: 'mismatch' });
  });

  it('start again after a run that had no lasting answer, with the time of the first', async () => {
    const { firstSeenAt, run } = await start('abandoned');
    await open.repositories.abandon('abandoned', run);
    expect(await start('abandoned')).toMatchObject({ firstSeenAt });
    expect(await begin('abandoned')).toMatchObject({ state: 'in_flight' });
  });

  it('start again after a run that died, once, with the time of the first', async () => {
    const { firstSeenAt } = await start('died', -1);
    const states = await Promise.all(Array.from({ length: 10 }, () => begin('died')));
    expect(states.filter(({ state }) => state === 'started')).toMatchObject([{ firstSeenAt }]);
  });

  it('stay with a run that says in time that it is alive', async () => {
    const { run } = await start('alive', 300);
    await open.repositories.renew('alive', run, LEASE_MS);
    await eventually(async () => {
      const row = await open.database.connection.collection('_idempotency').findOne({ run });
      expect((row!['firstSeenAt'] as Date).getTime() + 300).toBeLessThan(Date.now());
    });
    expect(await begin('alive')).toMatchObject({ state: 'in_flight' });
    const dead = await start('no more', -1);
    await start('no more', -1);
    await open.repositories.renew('no more', dead.run, LEASE_MS);
    expect(await begin('no more')).toMatchObject({ state: 'started' });
  });

  it('keep an answer that comes after the run was given up for dead', async () => {
    const { run } = await start('late', -1);
    await open.repositories.complete('late', run, answer);
    await open.repositories.abandon('late', run);
    expect(await begin('late')).toEqual({ state: 'replay', ...answer });
  });

  it('belong to the run that took them over: the one before neither frees nor answers them any more', async () => {
    const dead = await start('taken over', -1);
    const alive = await start('taken over');
    await open.repositories.abandon('taken over', dead.run);
    expect(await begin('taken over')).toMatchObject({ state: 'in_flight' });
    await open.repositories.complete('taken over', dead.run, { ...answer, status: 500 });
    expect(await begin('taken over')).toMatchObject({ state: 'in_flight' });
    await open.repositories.complete('taken over', alive.run, answer);
    await open.repositories.complete('taken over', dead.run, { ...answer, status: 500 });
    expect(await begin('taken over')).toEqual({ state: 'replay', ...answer });
  });
});
