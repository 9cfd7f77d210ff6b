import { randomUUID } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { Long, MongoClient, UUID, type Document } from 'mongodb';
import { ensureDocumentDb } from '../../setup.mjs';
import { Adapter } from '../adapter.js';
import { freePort, refuseProduction, removeCluster, startCluster, type Cluster } from '../cluster.js';
import { transactionConnectionsMax } from '../postgres.js';
import { eventually, RawClient, realMongoDb } from './fixture.js';

const whenOurs = realMongoDb ? describe.skip : describe;

whenOurs('a server that is killed', () => {
  const asked = path.join(os.tmpdir(), `documentdb-crash-${randomUUID()}`);
  let bin: string;
  let cluster: Cluster;
  let adapter: Adapter;
  let client: MongoClient;

  const start = (port: number) => startCluster({ bin, dataDir: asked, port });

  beforeAll(async () => {
    ({ bin } = await ensureDocumentDb());
    cluster = await start(await freePort());
    adapter = await Adapter.start({ port: await freePort(), postgresPort: cluster.port });
    client = await new MongoClient(adapter.uri).connect();
  });
  afterAll(async () => {
    await client.close();
    await adapter.stop();
    await cluster.stop();
    removeCluster(asked);
  });

  it('has every write it acknowledged, each transaction whole, and none twice', async () => {
    const db = client.db('crash');
    const plain = db.collection<Document>('plain');
    const pairs = db.collection<Document>('pairs');
    await plain.insertOne({ writer: -1 });
    await pairs.insertOne({ key: 'first' });
    const acknowledged = { plain: [] as string[], pairs: [] as string[] };
    let writing = true;

    const writePlain = async (writer: number) => {
      for (let n = 0; writing; n += 1) {
        const key = `${writer}:${n}`;
        await plain.insertOne({ key }).then(
          () => acknowledged.plain.push(key),
          () => undefined,
        );
      }
    };
    const writePairs = async (writer: number) => {
      for (let n = 0; writing; n += 1) {
        const key = `${writer}:${n}`;
        await client
          .withSession((session) =>
            session.withTransaction(async () => {
              await pairs.insertOne({ key, half: 'left' }, { session });
              await pairs.insertOne({ key, half: 'right' }, { session });
            }),
          )
          .then(
            () => acknowledged.pairs.push(key),
            () => undefined,
          );
      }
    };
    const writers = [0, 1, 2, 3].flatMap((writer) => [writePlain(writer), writePairs(writer)]);
    const enough = (count: number) => async () => {
      while (acknowledged.plain.length < count || acknowledged.pairs.length < count) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await enough(50)();
    await cluster.kill();
    const before = acknowledged.plain.length;
    cluster = await start(cluster.port);
    expect(cluster.recovered).toBe(true);
    await enough(before + 50)();
    writing = false;
    await Promise.all(writers);

    const stored = await plain.distinct('key');
    expect(acknowledged.plain.filter((key) => !new Set(stored).has(key))).toEqual([]);
    expect(await plain.countDocuments({ key: { $exists: true } })).toBe(stored.length);

    const groups = await pairs
      .aggregate([{ $group: { _id: '$key', halves: { $addToSet: '$half' }, n: { $sum: 1 } } }])
      .toArray();
    const whole = new Map(groups.map(({ _id, halves, n }) => [_id, halves.length === 2 && n === 2]));
    expect(acknowledged.pairs.filter((key) => whole.get(key) !== true)).toEqual([]);
    expect([...whole].filter(([key, both]) => key !== 'first' && !both)).toEqual([]);
  });

  it('has no owner twice: a second start over the same folder is refused while the first runs', async () => {
    await expect(start(await freePort())).rejects.toThrow(/already runs the document database/);
  });

  it('answers an adapter that starts anew about a commit that an earlier one made', async () => {
    const lsid = { id: new UUID() };
    const inside = { lsid, txnNumber: Long.fromNumber(1), autocommit: false };
    const first = await RawClient.connect(adapter.uri);
    const insert = { insert: 'replayed', documents: [{ n: 1 }], $db: 'crash', startTransaction: true };
    expect(await first.command({ ...insert, ...inside })).toMatchObject({ ok: 1, n: 1 });
    expect(await first.command({ commitTransaction: 1, $db: 'admin', ...inside })).toMatchObject({ ok: 1 });
    first.socket.destroy();
    const another = await Adapter.start({ port: await freePort(), postgresPort: cluster.port });
    const second = await RawClient.connect(another.uri);
    const commit = (txnNumber: number) =>
      second.command({
        commitTransaction: 1,
        $db: 'admin',
        ...inside,
        txnNumber: Long.fromNumber(txnNumber),
      });
    expect(await commit(1)).toMatchObject({ ok: 1 });
    expect(await commit(2)).toMatchObject({ ok: 0, code: 251 });
    second.socket.destroy();
    await another.stop();
  });

  it('ends when it is told to, although transactions are open and others wait to begin', async () => {
    const another = await Adapter.start({ port: await freePort(), postgresPort: cluster.port });
    const clients = await Promise.all(
      Array.from({ length: transactionConnectionsMax + 4 }, () => RawClient.connect(another.uri)),
    );
    const find = { find: 'waiting', $db: 'crash', startTransaction: true, autocommit: false };
    let answered = 0;
    const answers = clients.map(async (raw) => {
      const own = { lsid: { id: new UUID() }, txnNumber: Long.fromNumber(1) };
      await raw.command({ ...find, ...own }).catch((error: unknown) => error);
      answered++;
    });
    await eventually(() => Promise.resolve(answered === transactionConnectionsMax));
    await another.stop();
    await Promise.all(answers);
  });

  it('is refused in production', () => {
    expect(() => refuseProduction({ NODE_ENV: 'production' })).toThrow(/MONGODB_URI/);
    expect(() => refuseProduction({ NODE_ENV: 'development' })).not.toThrow();
  });
});
