import { VersionConflict } from '@atelier/kernel';
import { aContext, aDatabaseName, openDatabase, type OpenDatabase } from '@atelier/testing';
import { raise, startTally, TallyRepository } from './tally.fixture.js';

describe('a repository', () => {
  let shop: OpenDatabase<TallyRepository>;
  const context = aContext();
  const facts = () => shop.outbox.rows.collection.countDocuments({});

  beforeAll(async () => {
    shop = await openDatabase(
      { database: 'shop', name: aDatabaseName('shop') },
      (database, outbox) => new TallyRepository(database, outbox),
    );
  });
  afterAll(async () => {
    await shop.database.connection.dropDatabase();
    await shop.close();
  });

  it('saves state and facts together, and counts versions from 1', async () => {
    const tally = await shop.repositories.save(startTally('tly_1', 'usr_1'), context);
    expect(tally.version).toBe(1);
    const raised = await shop.repositories.save(raise(tally), context);
    expect(raised).toEqual({ ...tally, version: 2, value: 1 });
    expect(await shop.repositories.load('tly_1', { ownerId: 'usr_1' })).toEqual(raised);
    const rows = await shop.outbox.rows.collection.find({ key: 'tly_1' }).toArray();
    expect(rows).toMatchObject([{ topic: 'shop.tally.v1', envelope: { version: 2, data: { value: 1 } } }]);
  });

  it('refuses to save what somebody else saved since it was loaded, and states nothing then', async () => {
    const tally = await shop.repositories.save(startTally('tly_2', 'usr_1'), context);
    await shop.repositories.save(raise(tally), context);
    const before = await facts();
    await expect(shop.repositories.save(raise(tally), context)).rejects.toThrow(VersionConflict);
    expect(await shop.repositories.load('tly_2', { ownerId: 'usr_1' })).toMatchObject({ value: 1 });
    expect(await facts()).toBe(before);
  });

  it('answers the repeat of a creation with what was created, and states it once', async () => {
    const creation = raise(startTally('tly_3', 'usr_1').state);
    const first = await shop.repositories.save(creation, context);
    const before = await facts();
    expect(await shop.repositories.save(creation, context)).toEqual(first);
    expect(await facts()).toBe(before);
  });

  it('lets the feature say what a unique index refused, and tells it by which fields', async () => {
    await shop.repositories.save(startTally('tly_4', 'usr_1', 'same'), context);
    await expect(shop.repositories.save(startTally('tly_5', 'usr_1', 'same'), context)).rejects.toMatchObject(
      {
        code: 'shop.tally.exists',
        extra: { fields: ['ownerId', 'name'] },
      },
    );
    await shop.repositories.save(startTally('tly_5', 'usr_2', 'same'), context);
  });

  it('finds nothing of another owner', async () => {
    await shop.repositories.save(startTally('tly_6', 'usr_1', 'mine'), context);
    expect(await shop.repositories.byName('usr_1', 'mine')).toMatchObject({ id: 'tly_6' });
    expect(await shop.repositories.byName('usr_2', 'mine')).toBeUndefined();
    expect(await shop.repositories.load('tly_6', { ownerId: 'usr_2' })).toBeUndefined();
  });

  it('finds nothing, and says so, when the owner is missing at run time', async () => {
    await shop.repositories.save(startTally('tly_8', 'usr_8', 'anybody'), context);
    const nobody = undefined as unknown as string;
    await expect(async () => shop.repositories.byName(nobody, 'anybody')).rejects.toThrow('has no ownerId');
    await expect(async () => shop.repositories.load('tly_8', { ownerId: nobody })).rejects.toThrow('ownerId');
  });

  it('goes through a list by cursor, and refuses a cursor of a list in another order', async () => {
    for (const name of ['a', 'b', 'c'])
      await shop.repositories.save(startTally(`tly_9${name}`, 'usr_9', name), context);
    const byName = { by: 'name', direction: 1 } as const;
    const first = await shop.repositories.list('usr_9', { limit: 2, sort: byName });
    expect(first.items.map(({ name }) => name)).toEqual(['a', 'b']);
    const cursor = first.nextCursor!;
    const second = await shop.repositories.list('usr_9', { limit: 2, sort: byName, cursor });
    expect(second).toMatchObject({ items: [{ name: 'c' }], nextCursor: null });
    for (const sort of [
      { by: 'name', direction: -1 },
      { by: 'value', direction: 1 },
    ] as const) {
      await expect(shop.repositories.list('usr_9', { limit: 2, sort, cursor })).rejects.toMatchObject({
        kind: 'invalid',
        code: 'platform.cursor.invalid',
      });
    }
  });

  it('stores only what the schema declares', async () => {
    const { state } = startTally('tly_7', 'usr_1');
    const more = { ...state, colour: 'red' };
    await expect(shop.repositories.save({ state: more, events: [] }, context)).rejects.toThrow('colour');
    await expect(
      shop.repositories.save({ state: { ...state, value: -1 }, events: [] }, context),
    ).rejects.toThrow('value');
    expect(await shop.repositories.load('tly_7', { ownerId: 'usr_1' })).toBeUndefined();
  });
});
