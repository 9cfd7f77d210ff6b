import { PromptDeleted } from '@atelier/contracts/catalog/prompt.events';
import { PurchaseCompleted } from '@atelier/contracts/commerce/purchase.events';
import { UserDeleted } from '@atelier/contracts/identity/user.events';
import { exampleEnvelope, newId } from '@atelier/kernel';
import { aUser, eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { catalogConfig } from '../catalog.config.js';
import { CatalogModule } from '../catalog.module.js';

const PROMPTS = '/api/v1/prompts';
/** More than two pages. */
const MANY = 45;
const ALL_GONE_MS_MAX = 45_000;

let catalog: ServiceUnderTest;
beforeAll(async () => {
  catalog = await startService(CatalogModule, catalogConfig, { DEPARTURES_SWEEP_MS: '50' });
});
afterAll(() => catalog?.close());

type User = ReturnType<typeof aUser>;
const admin = aUser('admin');
const departures = () => catalog.database.connection.collection<{ _id: string }>('departures');
const write = async (user: User): Promise<string> => {
  const prompt = { title: 'Photo', content: 'A photo.', visibility: 'public' };
  return (await catalog.as(user).post(PROMPTS, prompt)).body.id as string;
};
const read = async (user: User, id: string) => (await catalog.as(user).get(`${PROMPTS}/${id}`)).status;
const deleted = ({ id }: User) => {
  const data = { userId: id, deletedAt: new Date().toISOString(), deletedBy: admin.id };
  return exampleEnvelope(UserDeleted, data, { subject: id });
};
const deletions = async ({ id }: User) =>
  (await catalog.facts(PromptDeleted)).filter(({ data }) => data.ownerId === id);
const allGone = (user: User, count: number) =>
  eventually(async () => expect(await deletions(user)).toHaveLength(count), ALL_GONE_MS_MAX);

describe('the prompts of a deleted person', () => {
  it('are all deleted, however many they are and however often it is told, and nobody else’s', async () => {
    const [leaver, other] = [aUser(), aUser()];
    const ids = await Promise.all(Array.from({ length: MANY }, () => write(leaver)));
    const kept = await write(other);
    const event = deleted(leaver);
    await catalog.redeliver(event);
    await allGone(leaver, MANY);
    const facts = await deletions(leaver);
    expect(new Set(facts.map(({ data }) => data.promptId))).toEqual(new Set(ids));
    expect(facts[0]).toMatchObject({ causationId: event.id, actor: `user:${admin.id}` });
    expect(await read(other, ids[0]!)).toBe(404);
    expect(await read(leaver, kept)).toBe(200);
    await catalog.publish({ ...event, id: newId('evt') });
    expect(await deletions(leaver)).toHaveLength(MANY);
    expect(await catalog.deadLetters()).toEqual([]);
  });

  it('are still read by who has bought them', async () => {
    const [leaver, buyer] = [aUser(), aUser()];
    const promptId = (await write(leaver)) as `prm_${string}`;
    const purchase = { ...PurchaseCompleted.example, promptId, buyerId: buyer.id, sellerId: leaver.id };
    await catalog.publish(exampleEnvelope(PurchaseCompleted, purchase), deleted(leaver));
    await allGone(leaver, 1);
    const answer = await catalog.as(buyer).get(`${PROMPTS}/${promptId}`);
    expect(answer.body).toMatchObject({ access: 'buyer', content: 'A photo.' });
  });

  it('are looked for once more when the last access token has ended, and then forgotten', async () => {
    const leaver = aUser();
    await write(leaver);
    await catalog.publish(deleted(leaver));
    await allGone(leaver, 1);
    await write(leaver);
    const ended = { dueAt: new Date(), lastLookAt: new Date() };
    await eventually(async () => {
      const { matchedCount } = await departures().updateOne(
        { _id: leaver.id, dueAt: { $gt: new Date() } },
        { $set: ended },
      );
      expect(matchedCount).toBe(1);
    });
    await allGone(leaver, 2);
    await eventually(async () => expect(await departures().countDocuments({ _id: leaver.id })).toBe(0));
  });
});
