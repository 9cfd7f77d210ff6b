import { aDatabaseName, openDatabase, type OpenDatabase } from '@atelier/testing';
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

  it('start one of many that come at once; the others are told when to come again', async () => {
    const states = await Promise.all(Array.from({ length: 20 }, () => begin('at once')));
    expect(states.filter(({ state }) => state === 'started')).toHaveLength(1);
    const others = states.filter(({ state }) => state !== 'started');
    expect(others).toHaveLength(19);
    for (const other of others) expect(other.state).toBe('in_flight');
    expect(await begin('at once')).toEqual({
      state: 'in_flight',
      retryAfterSeconds: expect.any(Number) as number,
    });
  });

  it('replay the first answer, and refuse another request under the same key', async () => {
    await begin('answered');
    await open.repositories.complete('answered', answer);
    expect(await begin('answered')).toEqual({ state: 'replay', ...answer });
    expect(await begin('answered', 'another hash')).toEqual({ state: 'mismatch' });
  });

  it('start again after a run that had no lasting answer, with the time of the first', async () => {
    const first = await begin('abandoned');
    await open.repositories.abandon('abandoned');
    expect(await begin('abandoned')).toEqual(first);
    expect(await begin('abandoned')).toMatchObject({ state: 'in_flight' });
  });

  it('start again after a run that died, once, with the time of the first', async () => {
    const first = await begin('died', 'hash', -1);
    const states = await Promise.all(Array.from({ length: 10 }, () => begin('died')));
    expect(states.filter(({ state }) => state === 'started')).toEqual([first]);
  });

  it('keep an answer that comes after the run was given up for dead', async () => {
    await begin('late', 'hash', -1);
    await open.repositories.complete('late', answer);
    await open.repositories.abandon('late');
    expect(await begin('late')).toEqual({ state: 'replay', ...answer });
  });
});
