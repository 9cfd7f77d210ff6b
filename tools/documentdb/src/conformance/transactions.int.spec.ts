import { MongoClient, type ClientSession, type Collection, type Document } from 'mongodb';
import { failureOf, freshName, startFixture, type Fixture } from './fixture.js';

describe('transactions', () => {
  let fixture: Fixture;
  let collection: Collection<Document>;
  let session: ClientSession;
  beforeAll(async () => (fixture = await startFixture()));
  afterAll(() => fixture.end());
  beforeEach(() => {
    collection = fixture.db.collection(freshName());
    session = fixture.client.startSession();
  });
  afterEach(() => session.endSession());

  const counter = { _id: 'counter' as never };

  it('show their writes to themselves, to nobody else, and to all after the commit', async () => {
    await collection.insertOne({ ...counter, n: 0 });
    await session.withTransaction(async () => {
      await collection.updateOne(counter, { $inc: { n: 1 } }, { session });
      await collection.insertOne({ made: true }, { session });
      expect(await collection.findOne(counter, { session })).toMatchObject({ n: 1 });
      expect(await collection.countDocuments({}, { session })).toBe(2);
      expect(await collection.findOne(counter)).toMatchObject({ n: 0 });
      expect(await collection.countDocuments()).toBe(1);
    });
    expect(await collection.findOne(counter)).toMatchObject({ n: 1 });
  });

  it('read one moment from their first read on', async () => {
    await collection.insertOne({ ...counter, n: 0 });
    await session.withTransaction(async () => {
      await collection.findOne(counter, { session });
      await collection.updateOne(counter, { $set: { n: 5 } });
      expect(await collection.findOne(counter, { session })).toMatchObject({ n: 0 });
    });
  });

  it('leave nothing after an abort, over several collections', async () => {
    const other = fixture.db.collection(freshName());
    await other.insertOne({ kept: true });
    session.startTransaction();
    await collection.insertOne({ a: 1 }, { session });
    await other.deleteMany({}, { session });
    await session.abortTransaction();
    expect([await collection.countDocuments(), await other.countDocuments()]).toEqual([0, 1]);
  });

  it('roll back when the callback throws, and pass its error on', async () => {
    const failing = session.withTransaction(async () => {
      await collection.insertOne({ a: 1 }, { session });
      throw new Error('business rule');
    });
    await expect(failing).rejects.toThrow('business rule');
    expect(await collection.countDocuments()).toBe(0);
  });

  it('read a cursor of several batches inside, sorted or not', async () => {
    await collection.insertMany(Array.from({ length: 120 }, (_, n) => ({ n })));
    await session.withTransaction(async () => {
      await collection.insertOne({ n: 120 }, { session });
      const plain = await collection.find({}, { session, batchSize: 25 }).toArray();
      const sorted = await collection.find({}, { session, batchSize: 25 }).sort({ n: -1 }).toArray();
      expect([plain.length, sorted.length, sorted[0]?.n]).toEqual([121, 121, 120]);
    });
  });

  it('end with a duplicate key, which is no reason to repeat them', async () => {
    await collection.createIndex({ k: 1 }, { unique: true });
    await collection.insertOne({ k: 1 });
    session.startTransaction();
    await collection.insertOne({ k: 2 }, { session });
    const failure = await failureOf(() => collection.insertOne({ k: 1 }, { session }));
    expect(failure).toMatchObject({ code: 11000, keyPattern: { k: 1 } });
    expect(
      (failure as { hasErrorLabel(label: string): boolean }).hasErrorLabel('TransientTransactionError'),
    ).toBe(false);
    const next = await failureOf(() => collection.insertOne({ k: 3 }, { session }));
    expect(next).toMatchObject({ code: 251 });
    await session.abortTransaction();
    expect(await collection.countDocuments()).toBe(1);
  });

  it('conflict over one document: the second writer is told at once that it may try again', async () => {
    await collection.insertOne({ ...counter, n: 0 });
    await fixture.client.withSession(async (second) => {
      session.startTransaction();
      second.startTransaction();
      await collection.updateOne(counter, { $inc: { n: 1 } }, { session });
      const failure = await failureOf(() =>
        collection.updateOne(counter, { $inc: { n: 1 } }, { session: second }),
      );
      expect(failure).toMatchObject({ code: 112 });
      expect(
        (failure as { hasErrorLabel(label: string): boolean }).hasErrorLabel('TransientTransactionError'),
      ).toBe(true);
      await second.abortTransaction();
      await session.commitTransaction();
    });
    expect(await collection.findOne(counter)).toMatchObject({ n: 1 });
  });

  it('conflict with a document that changed since their first read', async () => {
    await collection.insertOne({ ...counter, n: 0 });
    session.startTransaction();
    await collection.findOne(counter, { session });
    await collection.updateOne(counter, { $inc: { n: 1 } });
    const failure = await failureOf(() =>
      collection.findOneAndUpdate(counter, { $inc: { n: 1 } }, { session }),
    );
    expect(failure).toMatchObject({ code: 112 });
    await session.abortTransaction();
  });

  it('add up when twenty of them increment one document at once', async () => {
    await collection.insertOne({ ...counter, n: 0 });
    const increment = () =>
      fixture.client.withSession((own) =>
        own.withTransaction(async () => {
          const { n } = (await collection.findOne(counter, { session: own })) as Document;
          await collection.updateOne(counter, { $set: { n: n + 1 } }, { session: own });
        }),
      );
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(await collection.findOne(counter)).toMatchObject({ n: 20 });
  });

  it('keep a sum over accounts while transfers and plain readers run', async () => {
    const accounts = 6;
    await collection.insertMany(
      Array.from({ length: accounts }, (_, n) => ({ _id: n as never, balance: 100 })),
    );
    const transfer = (n: number) =>
      fixture.client.withSession((own) =>
        own.withTransaction(async () => {
          const move = (id: number, by: number) =>
            collection.updateOne({ _id: id as never }, { $inc: { balance: by } }, { session: own });
          await move(n % accounts, -7);
          await move((n * 5 + 1) % accounts, 7);
        }),
      );
    const total = async () =>
      (await collection.aggregate([{ $group: { _id: null, sum: { $sum: '$balance' } } }]).toArray())[0]?.sum;
    const transfers = Promise.all(Array.from({ length: 60 }, (_, n) => transfer(n)));
    for (let read = 0; read < 20; read += 1) expect(await total()).toBe(accounts * 100);
    await transfers;
    expect(await total()).toBe(accounts * 100);
  });

  it('do not starve: twenty whose callbacks also work outside their session all end', async () => {
    await collection.insertOne(counter);
    const work = (n: number) =>
      fixture.client.withSession((own) =>
        own.withTransaction(async () => {
          await collection.insertOne({ n }, { session: own });
          await collection.findOne(counter);
        }),
      );
    await Promise.all(Array.from({ length: 20 }, (_, n) => work(n)));
    expect(await collection.countDocuments()).toBe(21);
  });

  it('create a collection that does not exist yet', async () => {
    await session.withTransaction(() => collection.insertOne({ a: 1 }, { session }));
    expect(await collection.countDocuments()).toBe(1);
  });

  it('serve two hundred client connections', async () => {
    const client = await new MongoClient(fixture.uri, { minPoolSize: 200, maxPoolSize: 200 }).connect();
    try {
      const many = client.db(fixture.db.databaseName).collection<Document>(collection.collectionName);
      await Promise.all(Array.from({ length: 400 }, (_, n) => many.insertOne({ n })));
      expect(await many.countDocuments()).toBe(400);
    } finally {
      await client.close();
    }
  });
});
