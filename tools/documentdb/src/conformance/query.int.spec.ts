import type { Collection, Document } from 'mongodb';
import { failureOf, freshName, realMongoDb, startFixture, type Fixture } from './fixture.js';

describe('queries', () => {
  let fixture: Fixture;
  let collection: Collection<Document>;
  const count = 350;
  beforeAll(async () => {
    fixture = await startFixture();
    collection = fixture.db.collection(freshName());
    const kinds = ['red', 'green', 'blue'];
    await collection.insertMany(
      Array.from({ length: count }, (_, n) => ({
        _id: n as never,
        n,
        kind: kinds[n % 3],
        tags: n % 2 ? ['odd', `t${n}`] : [],
        deep: { at: [{ v: n }] },
        ...(n % 5 ? {} : { fifth: null }),
      })),
    );
  });
  afterAll(() => fixture.end());

  const ids = async (filter: Document) =>
    (await collection.find(filter).sort({ n: 1 }).toArray()).map(({ n }) => n);

  it.each([
    [{ n: { $lt: 2 } }, [0, 1]],
    [{ n: { $in: [3, 349, 999] } }, [3, 349]],
    [{ $or: [{ n: 1 }, { n: { $gte: 349 } }] }, [1, 349]],
    [{ $and: [{ n: { $lte: 4 } }, { kind: { $ne: 'red' } }] }, [1, 2, 4]],
    [{ n: { $lt: 4, $nin: [0, 1] } }, [2, 3]],
    [{ tags: 't7' }, [7]],
    [{ tags: { $all: ['odd', 't9'] } }, [9]],
    [{ tags: { $size: 0 }, n: { $lt: 5 } }, [0, 2, 4]],
    [{ 'deep.at.v': 12 }, [12]],
    [{ 'deep.at': { $elemMatch: { v: { $gt: 347 } } } }, [348, 349]],
    [{ fifth: { $exists: true }, n: { $lt: 11 } }, [0, 5, 10]],
    [{ fifth: null, n: { $lt: 3 } }, [0, 1, 2]],
    [{ kind: /^gre/, n: { $lt: 6 } }, [1, 4]],
    [{ $expr: { $eq: ['$n', { $add: ['$_id', 0] }] }, n: { $mod: [100, 0] } }, [0, 100, 200, 300]],
    [{ n: { $not: { $gt: 1 } } }, [0, 1]],
    [{ $nor: [{ n: { $gt: 1 } }] }, [0, 1]],
    [{ n: { $type: 'string' } }, []],
  ])('finds by %j', async (filter, expected) => {
    expect(await ids(filter)).toEqual(expected);
  });

  it('projects, sorts, skips and limits', async () => {
    const found = await collection
      .find({}, { projection: { _id: 0, n: 1, first: { $arrayElemAt: ['$tags', 0] }, tags: { $slice: 1 } } })
      .sort({ kind: 1, n: -1 })
      .skip(1)
      .limit(2)
      .toArray();
    expect(found).toMatchObject([{ n: 344 }, { n: 341, first: 'odd', tags: ['odd'] }]);
    expect(found[0]).not.toHaveProperty('kind');
  });

  it.each([{}, { sort: { n: -1 as const } }])(
    'reads a cursor of many batches to its end: %j',
    async (options) => {
      const found = await collection.find({}, { ...options, batchSize: 40 }).toArray();
      expect(new Set(found.map(({ n }) => n)).size).toBe(count);
      if (options.sort)
        expect(found.map(({ n }) => n)).toEqual(Array.from({ length: count }, (_, n) => count - 1 - n));
    },
  );

  it('keeps forty sorted cursors open at once beside other work', async () => {
    const cursors = Array.from({ length: 40 }, () =>
      collection.find({}, { batchSize: 10 }).sort({ kind: 1, n: 1 }),
    );
    for (const cursor of cursors) await cursor.next();
    expect(await collection.countDocuments()).toBe(count);
    const rests = await Promise.all(cursors.map((cursor) => cursor.toArray()));
    expect(rests.map(({ length }) => length)).toEqual(Array(40).fill(count - 1));
  });

  it('forgets a cursor that is closed early', async () => {
    const cursor = collection.find({}, { batchSize: 2 }).sort({ n: 1 });
    await cursor.next();
    const id = cursor.id;
    await cursor.close();
    const getMore = () => fixture.db.command({ getMore: id, collection: collection.collectionName });
    expect(await failureOf(getMore)).toMatchObject({ code: 43 });
  });

  it('counts, estimates, and lists distinct values', async () => {
    expect(await collection.countDocuments({ kind: 'red' })).toBe(117);
    expect(await collection.estimatedDocumentCount()).toBe(count);
    expect((await collection.distinct('kind')).sort()).toEqual(['blue', 'green', 'red']);
    expect(await collection.countDocuments({}, { limit: 3, skip: 1 })).toBe(3);
  });

  it('ends a query at maxTimeMS and serves the next one', async () => {
    const slow = [
      { $lookup: { from: collection.collectionName, pipeline: [{ $match: { n: { $gte: 0 } } }], as: 'a' } },
      { $unwind: '$a' },
      { $lookup: { from: collection.collectionName, pipeline: [{ $match: { n: { $gte: 0 } } }], as: 'b' } },
      { $unwind: '$b' },
      { $group: { _id: null, n: { $sum: { $multiply: ['$a.n', '$b.n'] } } } },
    ];
    expect(await failureOf(() => collection.aggregate(slow, { maxTimeMS: 50 }).toArray())).toMatchObject({
      code: 50,
    });
    expect(await collection.findOne({ n: 1 })).toMatchObject({ n: 1 });
  });

  it('refuses an unknown operator and an unknown command with their codes', async () => {
    expect(await failureOf(() => collection.find({ n: { $wrong: 1 } }).toArray())).toMatchObject({ code: 2 });
    expect(await failureOf(() => fixture.db.command({ noSuchThing: 1 }))).toMatchObject({ code: 59 });
  });

  it('finds nothing in a collection that does not exist', async () => {
    expect(await fixture.db.collection(freshName()).find({ a: 1 }).toArray()).toEqual([]);
  });

  describe('aggregation', () => {
    const run = (pipeline: Document[]) => collection.aggregate(pipeline).toArray();

    it('groups with sums, averages, extremes and lists', async () => {
      const [group] = await run([
        { $match: { n: { $lt: 9 }, kind: 'green' } },
        {
          $group: {
            _id: '$kind',
            total: { $sum: '$n' },
            mean: { $avg: '$n' },
            low: { $min: '$n' },
            high: { $max: '$n' },
            all: { $push: '$n' },
            first: { $first: '$n' },
          },
        },
      ]);
      expect(group).toEqual({ _id: 'green', total: 12, mean: 4, low: 1, high: 7, all: [1, 4, 7], first: 1 });
    });

    it('joins by field and by pipeline', async () => {
      const from = fixture.db.collection<Document>(freshName());
      await from.insertMany([
        { kind: 'red', hex: 'f00' },
        { kind: 'blue', hex: '00f' },
      ]);
      const plain = { from: from.collectionName, localField: 'kind', foreignField: 'kind', as: 'colour' };
      const piped = {
        from: from.collectionName,
        let: { k: '$kind' },
        pipeline: [{ $match: { $expr: { $eq: ['$kind', '$$k'] } } }, { $project: { _id: 0, hex: 1 } }],
        as: 'piped',
      };
      const joined = await run([
        { $match: { n: { $lt: 2 } } },
        { $sort: { n: 1 } },
        { $lookup: plain },
        { $lookup: piped },
      ]);
      expect(joined).toMatchObject([
        { colour: [{ hex: 'f00' }], piped: [{ hex: 'f00' }] },
        { colour: [], piped: [] },
      ]);
    });

    it('facets, unwinds, projects, counts and replaces roots', async () => {
      const [facets] = await run([
        {
          $facet: {
            total: [{ $count: 'n' }],
            odd: [{ $unwind: '$tags' }, { $sortByCount: '$tags' }, { $limit: 1 }],
          },
        },
      ]);
      expect(facets).toMatchObject({ total: [{ n: count }], odd: [{ _id: 'odd', count: count / 2 }] });
      const roots = await run([
        { $match: { n: 3 } },
        { $replaceRoot: { newRoot: '$deep' } },
        { $addFields: { x: { $size: '$at' } } },
      ]);
      expect(roots).toEqual([{ at: [{ v: 3 }], x: 1 }]);
    });

    it('computes with dates, conditions, strings and arrays', async () => {
      const [row] = await run([
        { $match: { n: 1 } },
        {
          $project: {
            _id: 0,
            day: { $dateToString: { date: new Date('2026-05-06T07:08:09Z'), format: '%Y-%m-%d' } },
            hour: { $dateTrunc: { date: new Date('2026-05-06T07:08:09Z'), unit: 'hour' } },
            size: { $cond: [{ $gt: ['$n', 0] }, 'some', 'none'] },
            name: { $concat: ['$kind', '-', { $toString: '$n' }] },
            odd: { $filter: { input: '$tags', as: 't', cond: { $eq: ['$$t', 'odd'] } } },
            doubled: { $map: { input: [1, 2], as: 'v', in: { $multiply: ['$$v', 2] } } },
            none: { $ifNull: ['$missing', 'default'] },
          },
        },
      ]);
      const expected = {
        day: '2026-05-06',
        hour: new Date('2026-05-06T07:00:00Z'),
        size: 'some',
        name: 'green-1',
      };
      expect(row).toEqual({ ...expected, odd: ['odd'], doubled: [2, 4], none: 'default' });
    });

    it('ranks within windows', async () => {
      const output = {
        running: { $sum: '$n', window: { documents: ['unbounded', 'current'] } },
        rank: { $rank: {} },
      };
      const rows = await run([
        { $match: { n: { $lt: 4 } } },
        { $setWindowFields: { sortBy: { n: 1 }, output } },
        { $sort: { n: 1 } },
        { $project: { _id: 0, running: 1, rank: 1 } },
      ]);
      expect(rows.map(({ running, rank }) => [running, Number(rank)])).toEqual([
        [0, 1],
        [1, 2],
        [3, 3],
        [6, 4],
      ]);
    });

    it('unites collections and walks graphs', async () => {
      const other = fixture.db.collection<Document>(freshName());
      await other.insertMany([
        { _id: 'a' as never },
        { _id: 'b' as never, up: 'a' },
        { _id: 'c' as never, up: 'b' },
      ]);
      expect(
        await run([{ $match: { n: 1 } }, { $unionWith: other.collectionName }, { $count: 'n' }]),
      ).toEqual([{ n: 4 }]);
      const walk = {
        from: other.collectionName,
        startWith: '$up',
        connectFromField: 'up',
        connectToField: '_id',
        as: 'above',
      };
      const [leaf] = await other
        .aggregate([{ $match: { _id: 'c' as never } }, { $graphLookup: walk }])
        .toArray();
      expect((leaf?.above as Document[]).map(({ _id }) => _id).sort()).toEqual(['a', 'b']);
    });

    it('merges into and replaces another collection', async () => {
      const target = freshName();
      await run([{ $match: { n: { $lt: 3 } } }, { $project: { n: 1 } }, { $merge: { into: target } }]);
      await run([
        { $match: { n: 2 } },
        { $project: { n: '$kind' } },
        { $merge: { into: target, whenMatched: 'replace' } },
      ]);
      const merged = await fixture.db.collection(target).find().sort({ _id: 1 }).toArray();
      expect(merged).toEqual([
        { _id: 0, n: 0 },
        { _id: 1, n: 1 },
        { _id: 2, n: 'blue' },
      ]);
      await run([{ $match: { n: 2 } }, { $out: target }]);
      expect(await fixture.db.collection(target).countDocuments()).toBe(1);
    });

    it('counts nothing as no row or as zero', async () => {
      const rows = await run([{ $match: { n: -1 } }, { $count: 'n' }]);
      expect(rows).toEqual(realMongoDb ? [] : [{ n: 0 }]);
    });

    it('reads a sorted result over several batches', async () => {
      const rows = await collection
        .aggregate([{ $sort: { n: -1 } }, { $project: { n: 1 } }], { batchSize: 30 })
        .toArray();
      expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: count }, (_, n) => count - 1 - n));
    });
  });
});
