import { Long, UUID, type Collection, type Document } from 'mongodb';
import { transactionConnectionsMax } from '../postgres.js';
import { eventually, freshName, RawClient, realMongoDb, startFixture, type Fixture } from './fixture.js';

describe('without a driver between,', () => {
  let fixture: Fixture;
  let raw: RawClient;
  let collection: Collection<Document>;
  let lsid: { id: UUID };
  beforeAll(async () => (fixture = await startFixture()));
  afterAll(() => fixture.end());
  beforeEach(async () => {
    collection = fixture.db.collection(freshName());
    lsid = { id: new UUID() };
    raw = await RawClient.connect(fixture.uri);
  });
  afterEach(() => raw.socket.destroy());

  const numbered = (body: Document, txnNumber: number) => {
    const [name, ...rest] = Object.entries(body) as [[string, unknown], ...[string, unknown][]];
    const $db = name[0].endsWith('Transaction') ? 'admin' : fixture.db.databaseName;
    return raw.command({
      ...Object.fromEntries([name, ...rest]),
      $db,
      lsid,
      txnNumber: Long.fromNumber(txnNumber),
    });
  };

  describe('a transaction', () => {
    const inside = { autocommit: false };
    const insert = (txnNumber: number, extra: Document = {}) =>
      numbered({ insert: collection.collectionName, documents: [{ a: 1 }], ...inside, ...extra }, txnNumber);
    const commit = (txnNumber: number) => numbered({ commitTransaction: 1, ...inside }, txnNumber);

    beforeEach(() => collection.insertOne({ a: 0 }));

    it('answers a repeated commit as the first one', async () => {
      expect(await insert(1, { startTransaction: true })).toMatchObject({ ok: 1, n: 1 });
      expect(await commit(1)).toMatchObject({ ok: 1 });
      expect(await commit(1)).toMatchObject({ ok: 1 });
      expect(await collection.countDocuments()).toBe(2);
    });

    it('refuses everything after an abort, and a commit of what never was', async () => {
      await insert(1, { startTransaction: true });
      await numbered({ abortTransaction: 1, ...inside }, 1);
      const gone = { ok: 0, code: 251, errorLabels: ['TransientTransactionError'] };
      expect(await insert(1)).toMatchObject(gone);
      expect(await commit(1)).toMatchObject(gone);
      expect(await commit(9)).toMatchObject({ ok: 0 });
      expect(await collection.countDocuments()).toBe(1);
    });

    // MongoDB keeps it until it is overdue, and whoever meets its documents waits as long.
    (realMongoDb ? it.skip : it)('ends with the connection that its last command came by', async () => {
      await insert(1, { startTransaction: true });
      raw.socket.destroy();
      raw = await RawClient.connect(fixture.uri);
      await eventually(async () => (await insert(1)).code === 251);
      expect(await commit(1)).toMatchObject({ ok: 0, code: 251 });
      expect(await collection.countDocuments()).toBe(1);
    });

    (realMongoDb ? it.skip : it)(
      'holds nothing when its connection is gone before it has begun',
      async () => {
        const others = Array.from({ length: transactionConnectionsMax }, () => fixture.client.startSession());
        for (const session of others) {
          session.startTransaction();
          await collection.findOne({}, { session });
        }
        const update = {
          update: collection.collectionName,
          updates: [{ q: { a: 0 }, u: { $set: { a: 1 } } }],
        };
        const begun = { ...update, $db: fixture.db.databaseName, lsid, txnNumber: Long.fromNumber(1) };
        raw.socket.write(RawClient.message({ ...begun, ...inside, startTransaction: true }));
        // Whoever comes later is answered later: by now it waits for its turn.
        await (await RawClient.connect(fixture.uri)).command({ ping: 1, $db: 'admin' });
        raw.socket.destroy();
        for (const session of others) await session.endSession();
        // In a transaction: it would be refused at once if somebody had the document.
        const own = fixture.client.startSession();
        own.startTransaction();
        await collection.updateOne({ a: 0 }, { $set: { a: 2 } }, { session: own });
        await own.commitTransaction();
        await own.endSession();
        expect(await collection.findOne()).toMatchObject({ a: 2 });
      },
    );

    it('goes on over another connection while the first is open', async () => {
      const first = raw;
      await insert(1, { startTransaction: true });
      raw = await RawClient.connect(fixture.uri);
      await insert(1);
      first.socket.destroy();
      expect(await commit(1)).toMatchObject({ ok: 1 });
      expect(await collection.countDocuments()).toBe(3);
    });

    it('is ended by the next transaction of its session', async () => {
      await insert(1, { startTransaction: true });
      await insert(2, { startTransaction: true });
      expect(await insert(1)).toMatchObject({ ok: 0, code: 225 });
      expect(await commit(2)).toMatchObject({ ok: 1 });
      expect(await collection.countDocuments()).toBe(2);
    });
  });

  describe('a retryable write', () => {
    it('changes nothing the second time and answers the same', async () => {
      const name = collection.collectionName;
      const twice = async (body: Document, txnNumber: number, answer: Document) => {
        expect(await numbered(body, txnNumber)).toMatchObject(answer);
        expect(await numbered(body, txnNumber)).toMatchObject(answer);
      };
      await twice({ insert: name, documents: [{ _id: 1, n: 0 }] }, 1, { n: 1 });
      const increment = { $inc: { n: 1 } };
      await twice({ update: name, updates: [{ q: { _id: 1 }, u: increment }] }, 2, { n: 1, nModified: 1 });
      await twice({ findAndModify: name, query: { _id: 1 }, update: increment, new: true }, 3, {
        value: { n: 2 },
      });
      await twice({ update: name, updates: [{ q: { _id: 2 }, u: increment, upsert: true }] }, 4, { n: 1 });
      await twice({ delete: name, deletes: [{ q: {}, limit: 1 }] }, 5, { n: 1 });
      expect(await collection.countDocuments()).toBe(1);
    });

    it('of several documents changes nothing the second time', async () => {
      const name = collection.collectionName;
      const one = (id: number) => ({ q: { _id: id }, u: { $inc: { n: 1 } } });
      for (let time = 0; time < 2; time += 1) {
        expect(await numbered({ insert: name, documents: [{ _id: 1 }, { _id: 2 }] }, 1)).toMatchObject({
          n: 2,
        });
        expect(await numbered({ update: name, updates: [one(1), one(2), one(1)] }, 2)).toMatchObject({
          n: 3,
        });
      }
      expect((await collection.find().sort({ _id: 1 }).toArray()).map(({ n }) => n)).toEqual([2, 1]);
    });

    it('of several documents that fails in part answers the same the second time', async () => {
      const body = {
        insert: collection.collectionName,
        documents: [{ _id: 1 }, { _id: 1 }, { _id: 2 }],
        ordered: false,
      };
      const answer = { n: 2, writeErrors: [{ index: 1, code: 11000, keyPattern: { _id: 1 } }] };
      expect(await numbered(body, 1)).toMatchObject(answer);
      if (!realMongoDb) expect(await numbered(body, 1)).toMatchObject(answer);
      expect(await collection.countDocuments()).toBe(2);
    });
  });

  describe('the protocol', () => {
    const insert = () => ({ insert: collection.collectionName, $db: fixture.db.databaseName });
    const documents = { name: 'documents', documents: [{ a: 1 }, { a: 2 }, { a: 3 }] };

    it('takes documents in a section of their own', async () => {
      raw.socket.write(RawClient.message(insert(), 0, documents));
      expect((await raw.reply()).document).toMatchObject({ ok: 1, n: 3 });
    });

    it('takes a message in pieces of any size, and two in one piece', async () => {
      const message = RawClient.message(insert(), 0, documents);
      for (const at of [0, 3, 17, 40]) {
        raw.socket.write(message.subarray(at, { 0: 3, 3: 17, 17: 40, 40: message.length }[at]));
        await new Promise(setImmediate);
      }
      expect((await raw.reply()).document).toMatchObject({ n: 3 });
      raw.socket.write(Buffer.concat([message, message]));
      expect([(await raw.reply()).document.n, (await raw.reply()).document.n]).toEqual([3, 3]);
    });

    it('gives no answer to a write that wants none', async () => {
      const moreToCome = 2;
      raw.socket.write(RawClient.message(insert(), moreToCome, documents));
      expect(await raw.command({ ping: 1, $db: 'admin' })).toMatchObject({ ok: 1 });
      await eventually(async () => (await collection.countDocuments()) === 3);
    });

    it('streams hello to a client that allows it', async () => {
      const exhaustAllowed = 1 << 16;
      const first = await raw.command({ hello: 1, $db: 'admin' });
      const hello = { hello: 1, $db: 'admin', maxAwaitTimeMS: 50, topologyVersion: first.topologyVersion };
      raw.socket.write(RawClient.message(hello, exhaustAllowed));
      for (let time = 0; time < 3; time += 1) {
        const { document, flags } = await raw.reply();
        expect(document).toMatchObject({ isWritablePrimary: true });
        expect(flags & 2).toBe(2);
      }
    });

    (realMongoDb ? it.skip : it)('takes a message with a checksum', async () => {
      raw.socket.write(RawClient.message(insert(), 1, documents));
      expect((await raw.reply()).document).toMatchObject({ n: 3 });
    });

    it.each([
      ['a message longer than the limit', () => Buffer.from([0, 0, 0, 64, ...Array(12).fill(0)])],
      ['a message shorter than its header', () => Buffer.from([1, 0, 0, 0])],
      ['a document that leaves its message', () => RawClient.message({ ping: 1 }).fill(0x7f, 21, 25)],
    ])('closes the connection on %s, and serves others', async (_, bytes) => {
      raw.socket.write(bytes());
      await expect(raw.reply()).rejects.toThrow('closed');
      expect(await fixture.db.admin().ping()).toMatchObject({ ok: 1 });
    });
  });
});
