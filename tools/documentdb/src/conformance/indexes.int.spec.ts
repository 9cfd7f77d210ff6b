import type { Collection, Document } from 'mongodb';
import { eventually, failureOf, freshName, realMongoDb, startFixture, type Fixture } from './fixture.js';

describe('indexes and collections', () => {
  let fixture: Fixture;
  let collection: Collection<Document>;
  beforeAll(async () => (fixture = await startFixture()));
  afterAll(() => fixture.end());
  beforeEach(() => (collection = fixture.db.collection(freshName())));

  /** The index that the winning plan reads, `null` for a scan of the whole collection. */
  async function indexUsed(filter: Document, sort: Document = {}): Promise<string | null> {
    const explained = await collection.find(filter).sort(sort).explain('queryPlanner');
    for (let stage = explained.queryPlanner.winningPlan; stage; stage = stage.inputStage) {
      if (stage.indexName) return stage.indexName as string;
    }
    return null;
  }

  describe('a unique index', () => {
    it('refuses a second value, and names its key on insert, update, upsert and findAndModify', async () => {
      await collection.createIndex({ email: 1 }, { unique: true, name: 'one e-mail' });
      await collection.insertMany([{ email: 'a' }, { email: 'b' }]);
      const set = { $set: { email: 'a' } };
      const failures = await Promise.all(
        [
          () => collection.insertOne({ email: 'a' }),
          () => collection.updateOne({ email: 'b' }, set),
          () => collection.updateOne({ other: 1 }, { $setOnInsert: { email: 'a' } }, { upsert: true }),
          () => collection.findOneAndUpdate({ email: 'b' }, set),
        ].map(failureOf),
      );
      for (const failure of failures) {
        expect(failure).toMatchObject({ code: 11000, keyPattern: { email: 1 } });
        expect(failure.message).toMatch(/^(Plan executor error.*)?E11000 .*one e-mail/);
      }
      expect(await collection.countDocuments()).toBe(2);
    });

    it('over several fields refuses the same combination only', async () => {
      await collection.createIndex({ tenant: 1, slug: 1 }, { unique: true });
      await collection.insertMany([
        { tenant: 1, slug: 'a' },
        { tenant: 2, slug: 'a' },
        { tenant: 1, slug: 'b' },
      ]);
      const failure = await failureOf(() => collection.insertOne({ tenant: 1, slug: 'a' }));
      expect(failure).toMatchObject({ code: 11000, keyPattern: { tenant: 1, slug: 1 } });
    });

    it('lets exactly one of many concurrent inserts through, and tells each other one so, every time', async () => {
      await collection.createIndex({ key: 1 }, { unique: true });
      for (let round = 0; round < 40; round++) {
        const inserts = Array.from({ length: 20 }, (_, n) => collection.insertOne({ key: round, n }));
        const settled = await Promise.allSettled(inserts);
        expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        const codes = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
        expect(new Set(codes)).toEqual(new Set([11000]));
      }
    });

    it('lets exactly one of many concurrent batches through, and tells each other one of the duplicate', async () => {
      await collection.createIndex({ key: 1 }, { unique: true });
      for (let round = 0; round < 20; round += 1) {
        const batch = (by: number) => [
          { key: round, by },
          { by, key: `${round}:${by}` },
        ];
        const writers = Array.from({ length: 12 }, (_, by) => collection.insertMany(batch(by)));
        const settled = await Promise.allSettled(writers);
        const failures = settled.flatMap((one) =>
          one.status === 'rejected' ? [one.reason.code as number] : [],
        );
        expect(failures).toEqual(Array.from({ length: 11 }, () => 11000));
      }
    });

    it('with a partial filter binds only what the filter takes', async () => {
      const partialFilterExpression = { state: 'active' };
      await collection.createIndex({ name: 1 }, { unique: true, partialFilterExpression });
      await collection.insertMany([
        { name: 'x', state: 'gone' },
        { name: 'x', state: 'gone' },
        { name: 'x', state: 'active' },
      ]);
      const failure = await failureOf(() => collection.insertOne({ name: 'x', state: 'active' }));
      expect(failure).toMatchObject({ code: 11000, keyPattern: { name: 1 } });
    });

    it.each([{ a: { $exists: true } }, { a: { $gt: 3 } }, { a: { $type: 'string' } }])(
      'accepts the partial filter %j',
      async (partialFilterExpression) => {
        await collection.createIndex({ a: 1 }, { unique: true, partialFilterExpression });
        await collection.insertMany([{ b: 1 }, { b: 2 }]);
        expect(await collection.countDocuments()).toBe(2);
      },
    );

    it('that is sparse lets documents without the field be many', async () => {
      await collection.createIndex({ phone: 1 }, { unique: true, sparse: true });
      await collection.insertMany([{ n: 1 }, { n: 2 }, { phone: '1' }]);
      expect(await failureOf(() => collection.insertOne({ phone: '1' }))).toMatchObject({ code: 11000 });
    });

    it('cannot be made over values that are double already', async () => {
      await collection.insertMany([{ a: 1 }, { a: 1 }]);
      expect(await failureOf(() => collection.createIndex({ a: 1 }, { unique: true }))).toMatchObject({
        code: 11000,
      });
      expect(await collection.indexes()).toHaveLength(1);
    });
  });

  it('with a time to live delete what has expired, and nothing else', async () => {
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    await collection.insertMany([{ at: minutesAgo(5) }, { at: minutesAgo(0) }, { at: 'no date' }, {}]);
    await eventually(async () => (await collection.countDocuments()) === 3, realMongoDb ? 90_000 : 20_000);
    expect(await collection.countDocuments({ at: { $lt: minutesAgo(2) } })).toBe(0);
  }, 120_000);

  it('with a time to live of zero and a partial filter delete at the date itself', async () => {
    const partialFilterExpression = { done: true };
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 0, partialFilterExpression });
    const past = new Date(Date.now() - 1_000);
    await collection.insertMany([
      { at: past, done: true },
      { at: past, done: false },
    ]);
    await eventually(async () => (await collection.countDocuments()) === 1, realMongoDb ? 90_000 : 20_000);
    expect(await collection.findOne()).toMatchObject({ done: false });
  }, 120_000);

  it('are listed with their options, are idempotent, and can be dropped by name', async () => {
    await collection.createIndexes([
      { key: { a: 1, b: -1 }, name: 'ab' },
      { key: { c: 1 }, name: 'c', unique: true, sparse: true },
      { key: { at: 1 }, name: 'ttl', expireAfterSeconds: 30 },
      { key: { d: 1 }, name: 'd', partialFilterExpression: { d: { $gt: 1 } } },
    ]);
    await collection.createIndex({ a: 1, b: -1 }, { name: 'ab' });
    expect(await collection.indexes()).toMatchObject([
      { name: '_id_', key: { _id: 1 } },
      { name: 'ab', key: { a: 1, b: -1 } },
      { name: 'c', unique: true, sparse: true },
      { name: 'ttl', expireAfterSeconds: 30 },
      { name: 'd', partialFilterExpression: { d: { $gt: 1 } } },
    ]);
    await collection.dropIndex('ab');
    expect((await collection.indexes()).map(({ name }) => name)).not.toContain('ab');
    expect(await failureOf(() => collection.dropIndex('ab'))).toMatchObject({ code: 27 });
    await collection.dropIndexes();
    expect(await collection.indexes()).toHaveLength(1);
  });

  it('conflict when one name has two keys', async () => {
    await collection.createIndex({ a: 1 }, { name: 'same' });
    expect(await failureOf(() => collection.createIndex({ b: 1 }, { name: 'same' }))).toMatchObject({
      code: 86,
    });
  });

  describe('are used', () => {
    beforeEach(async () => {
      const row = (n: number) => ({
        tenant: n % 50,
        at: n,
        tag: [`t${n}`],
        email: `e${n}`,
        pad: 'x'.repeat(50),
      });
      await collection.createIndex({ tenant: 1, at: -1 }, { name: 'tenant at' });
      await collection.createIndex({ email: 1 }, { name: 'email', unique: true });
      await collection.createIndex({ tag: 1 }, { name: 'tag' });
      await collection.insertMany(Array.from({ length: 2_000 }, (_, n) => row(n)));
    });

    it('for equality, ranges, prefixes of a compound key, arrays and _id', async () => {
      expect(await indexUsed({ tenant: 3, at: { $gt: 5 } })).toBe('tenant at');
      expect(await indexUsed({ tenant: 3 })).toBe('tenant at');
      expect(await indexUsed({ tenant: 3 }, { at: -1 })).toBe('tenant at');
      expect(await indexUsed({ email: 'e5' })).toBe('email');
      expect(await indexUsed({ tag: 't5' })).toBe('tag');
      const one = await collection.findOne();
      expect(['_id_', null]).toContain(await indexUsed({ _id: one?._id }));
    });

    it('for an order, so that nothing is sorted to find the newest of many', async () => {
      await collection.updateMany({}, { $set: { tenant: 7 } });
      await fixture.gatherStatistics();
      const newest = (filter: Document) =>
        collection.find({ tenant: 7, ...filter }, { sort: { at: -1 }, limit: 20 });
      for (const filter of [{}, { at: { $lt: 900 } }]) {
        const plan = JSON.stringify(await newest(filter).explain('queryPlanner'));
        expect(plan).toContain('tenant at');
        expect(plan).not.toContain('"SORT"');
      }
      const [first] = await newest({ at: { $lt: 900 } }).toArray();
      expect(first).toMatchObject({ at: 899 });
    });

    it('also when the collection is small, and when it was emptied', async () => {
      for (const left of [{ at: { $gte: 10 } }, {}]) {
        await collection.deleteMany(left);
        await fixture.gatherStatistics();
        expect(await indexUsed({ tenant: 3 })).toBe('tenant at');
      }
    });

    it('and a filter without an index is shown as a scan of the collection', async () => {
      expect(await indexUsed({ pad: 'y' })).toBeNull();
      const explained = await collection.find({ pad: 'y' }).explain('queryPlanner');
      expect(JSON.stringify(explained)).toContain('COLLSCAN');
    });

    it('and an aggregation can be explained with what it returned', async () => {
      const explained = await collection.aggregate([{ $match: { email: 'e7' } }]).explain('executionStats');
      expect(JSON.stringify(explained)).toContain('IXSCAN');
    });
  });

  describe('collections', () => {
    it('are created, listed, renamed and dropped', async () => {
      const name = freshName();
      await fixture.db.createCollection(name);
      expect(
        await failureOf(() => fixture.db.createCollection(name, { capped: false, validator: { a: 1 } })),
      ).toMatchObject({ code: 48 });
      const names = async () =>
        (await fixture.db.listCollections({}, { nameOnly: true }).toArray()).map((c) => c.name);
      expect(await names()).toContain(name);
      await fixture.db.renameCollection(name, `${name}-new`);
      expect(await names()).toContain(`${name}-new`);
      expect(await fixture.db.dropCollection(`${name}-new`)).toBe(true);
      expect(await names()).not.toContain(`${name}-new`);
    });

    it('refuse what their validator refuses', async () => {
      const name = freshName();
      const validator = { $jsonSchema: { bsonType: 'object', required: ['title'] } };
      const validated = await fixture.db.createCollection<Document>(name, { validator });
      expect(await failureOf(() => validated.insertOne({ a: 1 }))).toMatchObject({ code: 121 });
      await fixture.db.command({ collMod: name, validator: {} });
      await validated.insertOne({ a: 1 });
      expect(await validated.countDocuments()).toBe(1);
    });

    it('change the life of a TTL index with collMod', async () => {
      await collection.createIndex({ at: 1 }, { name: 'ttl', expireAfterSeconds: 30 });
      const index = { name: 'ttl', expireAfterSeconds: 90 };
      await fixture.db.command({ collMod: collection.collectionName, index });
      expect(await collection.indexes()).toContainEqual(expect.objectContaining(index));
    });

    it('and databases have sizes, and databases are listed and dropped', async () => {
      await collection.insertOne({ a: 1 });
      expect(await fixture.db.command({ collStats: collection.collectionName })).toMatchObject({
        count: 1,
        nindexes: 1,
      });
      expect(Number((await fixture.db.stats()).objects)).toBeGreaterThan(0);
      const other = fixture.client.db(`${fixture.db.databaseName}_other`);
      await other.collection('a').insertOne({ a: 1 });
      const names = async () => (await fixture.db.admin().listDatabases()).databases.map(({ name }) => name);
      expect(await names()).toContain(other.databaseName);
      await other.dropDatabase();
      expect(await names()).not.toContain(other.databaseName);
    });
  });

  it('the server says what it is', async () => {
    const admin = fixture.db.admin();
    expect(await admin.ping()).toMatchObject({ ok: 1 });
    expect((await admin.buildInfo()).version).toMatch(/^\d+\.\d+\.\d+/);
    expect(await admin.serverStatus()).toMatchObject({ ok: 1, connections: { current: expect.any(Number) } });
    expect(await admin.command({ hello: 1 })).toMatchObject({
      isWritablePrimary: true,
      setName: expect.any(String),
    });
  });
});
