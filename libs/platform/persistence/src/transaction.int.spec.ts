import mongoose from 'mongoose';
import {
  aContext,
  aDatabaseName,
  infrastructure,
  openDatabase,
  startTcpProxy,
  type OpenDatabase,
  type TcpProxy,
} from '@atelier/testing';
import { raise, startTally, TallyRepository } from './tally.fixture.js';
import { afterCommit, currentSession, TRANSACTION_ATTEMPTS_MAX } from './transaction.js';

const owner = { ownerId: 'usr_1' };
const transient = () => {
  const error = new mongoose.mongo.MongoError('the primary stepped down');
  error.addErrorLabel('TransientTransactionError');
  return error;
};

describe('a transaction', () => {
  let proxy: TcpProxy;
  let shop: OpenDatabase<TallyRepository>;
  const context = aContext();
  const create = (id: string) => shop.repositories.save(startTally(id, owner.ownerId), context);
  const valueOf = async (id: string) => (await shop.repositories.load(id, owner))?.value;
  const raiseOnce = async (id: string) => {
    const tally = await shop.repositories.load(id, owner);
    await shop.repositories.save(raise(tally!), context);
  };

  beforeAll(async () => {
    const { hostname, port } = new URL(infrastructure().mongodbUri);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    shop = await openDatabase(
      {
        database: 'shop',
        name: aDatabaseName('shop'),
        // Direct, or the driver would find its own way around the proxy.
        mongodbUri: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
      },
      (database, outbox) => new TallyRepository(database, outbox),
    );
  });
  afterAll(async () => {
    await shop.database.connection.dropDatabase();
    await shop.close();
    await proxy.close();
  });

  it('is begun anew after a write conflict, so that 20 concurrent increments are 20', async () => {
    await create('tly_1');
    await Promise.all(Array.from({ length: 20 }, () => shop.database.transaction(() => raiseOnce('tly_1'))));
    expect(await valueOf('tly_1')).toBe(20);
    expect(await shop.outbox.rows.collection.countDocuments({ key: 'tly_1' })).toBe(20);
  });

  it('comes back one by one after a conflict, so that those who were refused do not refuse each other again', async () => {
    await create('tly_7');
    let retrying = 0;
    const together: number[] = [];
    const raiseOften = async () => {
      let tries = 0;
      await shop.database.transaction(async () => {
        const isRetry = ++tries > 1;
        if (isRetry) together.push(++retrying);
        try {
          await raiseOnce('tly_7');
        } finally {
          if (isRetry) retrying--;
        }
      });
    };
    await Promise.all(Array.from({ length: 20 }, raiseOften));
    expect(await valueOf('tly_7')).toBe(20);
    expect(new Set(together)).toEqual(new Set([1]));
  });

  it('is begun anew after a transient error, and its work counts once', async () => {
    await create('tly_2');
    let runs = 0;
    await shop.database.transaction(async () => {
      await raiseOnce('tly_2');
      if (++runs < 3) throw transient();
    });
    expect(runs).toBe(3);
    expect(await valueOf('tly_2')).toBe(1);
  });

  it('gives up after a bounded number of tries, says so, and leaves nothing', async () => {
    await create('tly_3');
    let runs = 0;
    const work = async () => {
      runs++;
      await raiseOnce('tly_3');
      throw transient();
    };
    await expect(shop.database.transaction(work)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'platform.transaction.contended',
    });
    expect(runs).toBe(TRANSACTION_ATTEMPTS_MAX);
    expect(await valueOf('tly_3')).toBe(0);
  });

  it('is not repeated for any other error, which reaches its caller as it is', async () => {
    let runs = 0;
    const fault = new Error('a fault');
    await expect(
      shop.database.transaction(() => {
        runs++;
        throw fault;
      }),
    ).rejects.toBe(fault);
    expect(runs).toBe(1);
  });

  it('joins the one that is already open: all or nothing, and what waits for the commit waits for the outer', async () => {
    await create('tly_4');
    const seen: string[] = [];
    await shop.database.transaction(async (outer) => {
      await shop.database.transaction(async (inner) => {
        expect(inner).toBe(outer);
        afterCommit(() => seen.push('after the commit'));
        await raiseOnce('tly_4');
      });
      seen.push('still open');
    });
    expect(seen).toEqual(['still open', 'after the commit']);
    expect(currentSession()).toBeUndefined();

    await expect(
      shop.database.transaction(async () => {
        await shop.database.transaction(() => raiseOnce('tly_4'));
        afterCommit(() => seen.push('never'));
        throw new Error('the outer fails');
      }),
    ).rejects.toThrow('the outer fails');
    expect(await valueOf('tly_4')).toBe(1);
    expect(seen).not.toContain('never');
  });

  it('survives a connection that breaks at work', async () => {
    await create('tly_5');
    let runs = 0;
    await shop.database.transaction(async () => {
      if (++runs === 1) {
        proxy.cut();
        proxy.restore();
      }
      await raiseOnce('tly_5');
    });
    expect(runs).toBeGreaterThan(1);
    expect(await valueOf('tly_5')).toBe(1);
  });

  it('counts at most once, and once when it says so, when the answer to the commit is lost', async () => {
    await create('tly_6');
    const client = shop.database.connection.getClient();
    const cutAtCommit = ({ commandName }: { commandName: string }): void => {
      if (commandName !== 'commitTransaction') return;
      client.off('commandStarted', cutAtCommit);
      // After the command has left, before its answer is read.
      setImmediate(() => {
        proxy.cut();
        proxy.restore();
      });
    };
    client.on('commandStarted', cutAtCommit);
    const outcome = await shop.database
      .transaction(() => raiseOnce('tly_6'))
      .then(
        () => 'committed',
        () => 'unknown',
      );
    const value = await valueOf('tly_6');
    expect(outcome === 'committed' ? [1] : [0, 1]).toContain(value);
    expect(await shop.outbox.rows.collection.countDocuments({ key: 'tly_6' })).toBe(value);
  });
});
