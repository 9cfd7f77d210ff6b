import type mongoose from 'mongoose';
import { Logger } from '@nestjs/common';
import { aDatabaseName, openDatabase } from '@atelier/testing';
import type { Migration } from './migrations.js';
import { TallyRepository } from './tally.fixture.js';

describe('a database that is opened', () => {
  Logger.overrideLogger(false);
  const opened: { connection: mongoose.Connection; close(): Promise<void> }[] = [];
  let name: string;
  const open = async (migrations: readonly Migration[] = []) => {
    const of = await openDatabase(
      { database: 'shop', name, migrations },
      (database, outbox) => new TallyRepository(database, outbox),
    );
    opened.push({ connection: of.database.connection, close: of.close });
    return of.database.connection;
  };

  beforeEach(() => {
    name = aDatabaseName('shop');
  });
  afterEach(async () => {
    await opened[0]?.connection.dropDatabase();
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  it('has the collections and indexes that the schemas declare, also when two start at once', async () => {
    const [connection] = await Promise.all([open(), open()]);
    const indexes = await connection.collection('tallies').indexes();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { ownerId: 1, name: 1 }, unique: true }));
    expect(await connection.collection('_outbox').indexes()).toContainEqual(
      expect.objectContaining({ key: { bucket: 1, _id: 1 } }),
    );
  });

  it('is refused, with what to do, when an index of another kind is in the way; doing so mends it', async () => {
    const connection = await open();
    const tallies = connection.collection('tallies');
    await tallies.dropIndexes();
    await tallies.createIndex({ ownerId: 1, name: 1 });
    await expect(open()).rejects.toThrow(/tallies: .*write a migration that drops it/s);
    const clearsTheWay: Migration = {
      id: '0001-names-are-unique',
      up: async (of) => {
        await of.collection('tallies').dropIndex('ownerId_1_name_1');
      },
    };
    const mended = await open([clearsTheWay]);
    expect(await mended.collection('tallies').indexes()).toContainEqual(
      expect.objectContaining({ key: { ownerId: 1, name: 1 }, unique: true }),
    );
  });

  it('runs each migration once, in order, also when two start at once', async () => {
    const ran: string[] = [];
    const step = (id: string): Migration => ({
      id,
      up: async (connection) => {
        await connection.collection('steps').insertOne({ id });
        ran.push(id);
      },
    });
    const steps = [step('0001-first'), step('0002-second')];
    const [connection] = await Promise.all([open(steps), open(steps)]);
    expect(ran).toEqual(['0001-first', '0002-second']);
    await open([...steps, step('0003-third')]);
    expect(ran).toEqual(['0001-first', '0002-second', '0003-third']);
    const history = await connection.collection('_migrations').find({}).sort({ _id: 1 }).toArray();
    expect(history.map(({ _id }) => String(_id))).toEqual(ran);
  });

  it('runs a migration again that failed before', async () => {
    let runs = 0;
    const flaky: Migration = {
      id: '0001-flaky',
      up: () => (++runs === 1 ? Promise.reject(new Error('half-way')) : Promise.resolve()),
    };
    await expect(open([flaky])).rejects.toThrow('half-way');
    await open([flaky]);
    await open([flaky]);
    expect(runs).toBe(2);
  });

  it('takes over the lock of a process that died while it migrated', async () => {
    const connection = await open();
    await connection
      .collection('_migration_lock')
      .insertOne({ _id: 'lock' as never, owner: 'a dead process', until: new Date(Date.now() - 1) });
    let runs = 0;
    await open([{ id: '0001-after', up: async () => void runs++ }]);
    expect(runs).toBe(1);
    expect(await connection.collection('_migration_lock').countDocuments({})).toBe(0);
  });

  it('refuses migrations out of order', async () => {
    const step = (id: string): Migration => ({ id, up: () => Promise.resolve() });
    await expect(open([step('0002-b'), step('0001-a')])).rejects.toThrow('ascending order');
    await expect(open([step('0001-a'), step('0001-a')])).rejects.toThrow('distinct ids');
  });
});
