import { Binary, Decimal128, Long, ObjectId, Timestamp, type Collection, type Document } from 'mongodb';
import { failureOf, freshName, startFixture, type Fixture } from './fixture.js';

describe('documents', () => {
  let fixture: Fixture;
  let collection: Collection<Document>;
  beforeAll(async () => (fixture = await startFixture()));
  afterAll(() => fixture.end());
  beforeEach(() => (collection = fixture.db.collection(freshName())));

  const byId = (id: unknown) => collection.findOne({ _id: id as ObjectId });

  describe('values', () => {
    it('come back with the type they were stored with', async () => {
      const stored = {
        _id: new ObjectId(),
        long: Long.fromString('9007199254740993'),
        decimal: Decimal128.fromString('0.10'),
        date: new Date('2026-01-02T03:04:05.678Z'),
        binary: new Binary(Buffer.from([0, 255, 128]), 4),
        timestamp: new Timestamp({ t: 7, i: 3 }),
        nothing: null,
        yes: true,
        text: 'naïve ünï 🎈',
        pattern: /a.c/i,
        nested: { list: [1, 'two', { three: 3.5 }] },
      };
      await collection.insertOne(stored);
      expect(await collection.findOne({}, { promoteBuffers: false })).toEqual(stored);
    });

    it('of two megabytes survive a round trip', async () => {
      const text = 'x'.repeat(2_000_000);
      await collection.insertOne({ text });
      expect((await collection.findOne({}))?.text).toHaveLength(text.length);
    });
  });

  describe('insert', () => {
    it('makes the collection and gives an id', async () => {
      const { insertedId } = await collection.insertOne({ a: 1 });
      expect(insertedId).toBeInstanceOf(ObjectId);
      expect(await byId(insertedId)).toEqual({ _id: insertedId, a: 1 });
    });

    it('of many clients into a collection that does not exist yet succeeds for all of them', async () => {
      await Promise.all(Array.from({ length: 12 }, (_, n) => collection.insertOne({ n })));
      expect(await collection.countDocuments()).toBe(12);
    });

    it('refuses an id that is taken, and says which index', async () => {
      await collection.insertOne({ _id: 1 as never });
      const error = await failureOf(() => collection.insertOne({ _id: 1 as never }));
      expect(error).toMatchObject({ code: 11000, message: expect.stringContaining('E11000') });
      expect(error.keyPattern).toEqual({ _id: 1 });
    });
  });

  describe('update', () => {
    beforeEach(async () => {
      await collection.insertMany([
        {
          _id: 1 as never,
          n: 1,
          tags: ['a', 'b'],
          lines: [
            { sku: 'x', q: 1 },
            { sku: 'y', q: 5 },
          ],
        },
        { _id: 2 as never, n: 2, tags: [], lines: [] },
      ]);
    });

    it('of one tells matched from modified', async () => {
      const first = await collection.updateOne({ _id: 1 as never }, { $set: { n: 9 } });
      const again = await collection.updateOne({ _id: 1 as never }, { $set: { n: 9 } });
      expect([first.matchedCount, first.modifiedCount]).toEqual([1, 1]);
      expect([again.matchedCount, again.modifiedCount]).toEqual([1, 0]);
    });

    it('of many changes all that match', async () => {
      expect((await collection.updateMany({}, { $inc: { n: 10 } })).modifiedCount).toBe(2);
      expect((await collection.find().sort({ n: 1 }).toArray()).map(({ n }) => n)).toEqual([11, 12]);
    });

    it('knows the field operators', async () => {
      const change = {
        $inc: { n: 4 },
        $unset: { lines: '' },
        $min: { low: 3 },
        $max: { high: 7 },
        $mul: { zero: 2 },
      };
      await collection.updateOne(
        { _id: 1 as never },
        { ...change, $rename: { tags: 'labels' }, $currentDate: { at: true } },
      );
      const { at, ...rest } = (await byId(1)) as Document;
      expect(rest).toEqual({ _id: 1, n: 5, low: 3, high: 7, zero: 0, labels: ['a', 'b'] });
      expect(at).toBeInstanceOf(Date);
    });

    it('knows the array operators', async () => {
      const one = { _id: 1 as never };
      await collection.updateOne(one, {
        $push: { tags: { $each: ['d', 'c'], $position: 0, $slice: 4 } } as never,
      });
      await collection.updateOne(one, { $addToSet: { tags: 'a' } });
      await collection.updateOne(one, { $pull: { lines: { sku: 'x' } } as never });
      expect(await byId(1)).toMatchObject({ tags: ['d', 'c', 'a', 'b'], lines: [{ sku: 'y', q: 5 }] });
      await collection.updateOne(one, {
        $pop: { tags: 1 },
        $pullAll: { lines: [{ sku: 'y', q: 5 }] } as never,
      });
      expect(await byId(1)).toMatchObject({ tags: ['d', 'c', 'a'], lines: [] });
    });

    it('reaches array elements by position, by all, and by filter', async () => {
      await collection.updateOne({ _id: 1 as never, 'lines.sku': 'y' }, { $inc: { 'lines.$.q': 1 } });
      await collection.updateOne({ _id: 1 as never }, { $inc: { 'lines.$[].q': 10 } });
      const arrayFilters = [{ 'line.q': { $gt: 12 } }];
      await collection.updateOne(
        { _id: 1 as never },
        { $set: { 'lines.$[line].big': true } },
        { arrayFilters },
      );
      const lines = [
        { sku: 'x', q: 11 },
        { sku: 'y', q: 16, big: true },
      ];
      expect(await byId(1)).toMatchObject({ lines });
    });

    it('accepts a pipeline that computes from the document', async () => {
      await collection.updateOne({ _id: 1 as never }, [
        { $set: { n: { $add: ['$n', { $size: '$tags' }] } } },
      ]);
      expect(await byId(1)).toMatchObject({ n: 3 });
    });

    it('inserts with upsert, applying $setOnInsert once', async () => {
      const change = { $set: { n: 1 }, $setOnInsert: { made: 'once' } };
      const first = await collection.updateOne({ _id: 7 as never }, change, { upsert: true });
      const second = await collection.updateOne({ _id: 7 as never }, { $set: { n: 2 } }, { upsert: true });
      expect([first.upsertedCount, first.upsertedId, second.upsertedCount]).toEqual([1, 7, 0]);
      expect(await byId(7)).toEqual({ _id: 7, n: 2, made: 'once' });
    });

    it('replaces a whole document but not its id', async () => {
      await collection.replaceOne({ _id: 1 as never }, { fresh: true });
      expect(await byId(1)).toEqual({ _id: 1, fresh: true });
      expect(
        await failureOf(() => collection.updateOne({ _id: 1 as never }, { $set: { _id: 3 } })),
      ).toMatchObject({
        code: 66,
      });
    });
  });

  describe('findOneAndUpdate', () => {
    it('answers the document before or after, in the order of the sort, projected', async () => {
      await collection.insertMany([
        { k: 1, v: 'low' },
        { k: 2, v: 'high' },
      ]);
      const sort = { k: -1 } as const;
      expect(await collection.findOneAndUpdate({}, { $set: { v: 'new' } }, { sort })).toMatchObject({
        k: 2,
        v: 'high',
      });
      const options = { sort, returnDocument: 'after', projection: { _id: 0, v: 1 } } as const;
      expect(await collection.findOneAndUpdate({}, { $set: { v: 'newer' } }, options)).toEqual({
        v: 'newer',
      });
    });

    it('answers null for no match, inserts with upsert, deletes and replaces', async () => {
      expect(await collection.findOneAndUpdate({ k: 9 }, { $set: { v: 1 } })).toBeNull();
      const upserted = { upsert: true, returnDocument: 'after' } as const;
      expect(await collection.findOneAndUpdate({ k: 9 }, { $set: { v: 1 } }, upserted)).toMatchObject({
        k: 9,
        v: 1,
      });
      expect(await collection.findOneAndReplace({ k: 9 }, { k: 9, v: 2 })).toMatchObject({ v: 1 });
      expect(await collection.findOneAndDelete({ k: 9 })).toMatchObject({ v: 2 });
      expect(await collection.countDocuments()).toBe(0);
    });

    it('lets exactly one of many claim a document', async () => {
      await collection.insertOne({ state: 'free' });
      const claim = (by: number) =>
        collection.findOneAndUpdate({ state: 'free' }, { $set: { state: 'taken', by } });
      const claims = await Promise.all(Array.from({ length: 20 }, (_, by) => claim(by)));
      expect(claims.filter((claimed) => claimed !== null)).toHaveLength(1);
    });
  });

  describe('bulkWrite', () => {
    const operations = [
      { insertOne: { document: { _id: 1 } } },
      { insertOne: { document: { _id: 1 } } },
      { insertOne: { document: { _id: 2 } } },
    ] as never[];

    it('in order stops at the first error', async () => {
      const error = await failureOf(() => collection.bulkWrite(operations));
      expect(error.writeErrors).toMatchObject([{ index: 1, code: 11000 }]);
      expect(await collection.countDocuments()).toBe(1);
    });

    it('without order reports each error and does the rest', async () => {
      const error = await failureOf(() => collection.bulkWrite(operations, { ordered: false }));
      expect(error.writeErrors).toMatchObject([{ index: 1, code: 11000 }]);
      expect(await collection.countDocuments()).toBe(2);
    });

    it('mixes kinds and counts each', async () => {
      const result = await collection.bulkWrite([
        { insertOne: { document: { k: 1 } } },
        { insertOne: { document: { k: 2 } } },
        { updateOne: { filter: { k: 1 }, update: { $set: { v: 1 } } } },
        { updateMany: { filter: {}, update: { $set: { w: 1 } } } },
        { replaceOne: { filter: { k: 3 }, replacement: { k: 3 }, upsert: true } },
        { deleteOne: { filter: { k: 2 } } },
      ]);
      expect(result).toMatchObject({ insertedCount: 2, modifiedCount: 3, upsertedCount: 1, deletedCount: 1 });
    });
  });

  it('are deleted one by one or all that match', async () => {
    await collection.insertMany([{ k: 1 }, { k: 1 }, { k: 2 }]);
    expect((await collection.deleteOne({ k: 1 })).deletedCount).toBe(1);
    expect((await collection.deleteMany({})).deletedCount).toBe(2);
  });
});
