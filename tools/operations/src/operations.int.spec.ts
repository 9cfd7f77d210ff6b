import { z } from 'zod';
import { Injectable, Module } from '@nestjs/common';
import { defineEvent, exampleEnvelope, newId } from '@atelier/kernel';
import {
  Consumer,
  MessagingModule,
  messagingEnvironment,
  Projection,
  type Consumes,
  type EventBus,
  type EventOf,
  type Projects,
} from '@atelier/messaging';
import { currentSession, Database, persistenceEnvironment, PersistenceModule } from '@atelier/persistence';
import { defineConfig } from '@atelier/service';
import { startService, type ServiceUnderTest } from '@atelier/testing';
import { dead } from './dead-command.js';
import { replay } from './replay-command.js';
import { OperatorError } from './running.js';
import { painter } from './table.js';

const LetterPosted = defineEvent({
  type: 'post.letter.posted.v1',
  summary: 'Somebody posted a letter.',
  data: z.object({ to: z.string() }),
  example: { to: 'Ada' },
});

/** What the reaction cannot deliver at the moment. */
const unknownAddresses = new Set<string>();

@Injectable()
@Consumer({ id: 'depot.on-letter-posted', group: 'depot.bags', consumes: LetterPosted })
class OnLetterPosted implements Consumes<typeof LetterPosted> {
  handle(event: EventOf<typeof LetterPosted>): Promise<void> {
    if (unknownAddresses.has(event.data.to)) throw new Error(`nobody knows ${event.data.to}`);
    return Promise.resolve();
  }
}

@Injectable()
@Projection({ id: 'depot.view-letters', group: 'depot.view-letters', consumes: LetterPosted })
class Letters implements Projects<typeof LetterPosted> {
  constructor(private readonly database: Database) {}

  private get rows() {
    return this.database.connection.collection<{ _id: string }>('view_letters');
  }
  async handle(event: EventOf<typeof LetterPosted>): Promise<void> {
    await this.rows.insertOne({ _id: event.id }, { session: currentSession() });
  }
  async reset(): Promise<void> {
    await this.rows.deleteMany({});
  }
}

@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'depot' }),
    MessagingModule.forRoot({ app: 'depot', publishes: [] }),
  ],
  controllers: [OnLetterPosted, Letters],
})
class DepotModule {}
const depotConfig = defineConfig('depot', { ...persistenceEnvironment, ...messagingEnvironment });

describe('the operator of a running service', () => {
  const ACTOR_SECRET = 'a-secret-of-these-tests-that-signs-actors';
  let service: ServiceUnderTest;
  beforeAll(async () => {
    service = await startService(DepotModule, depotConfig, { ACTOR_SECRET, CONSUMER_BACKOFF_BASE_MS: '1' });
  });
  afterAll(() => service.close());
  beforeEach(() => unknownAddresses.clear());

  /** The service's own bus, which the command must not close under it. */
  const open = () =>
    Promise.resolve(Object.create(service.bus, { close: { value: async () => {} } }) as EventBus);
  const run = async (...args: string[]) => {
    const printed: string[] = [];
    const terminal = { print: (text: string) => void printed.push(text), paint: painter(false), width: 200 };
    return { code: await dead(args, open, terminal), text: printed.join('\n') };
  };
  const post = async (to: string) => {
    const event = exampleEnvelope(LetterPosted, { to }, { subject: newId('let') });
    await service.publish(event);
    return event.id;
  };

  it('lists what a consumer could not handle, shows one of them whole, and replays it', async () => {
    expect((await run('list')).text).toBe('There are no dead letters.');
    unknownAddresses.add('Grace');
    const eventId = await post('Grace');
    const { text } = await run('list');
    expect(text).toContain(`depot.on-letter-posted:${eventId}`);
    expect(text).toContain('nobody knows Grace');
    const shown = await run('show', eventId);
    expect(shown.text).toContain('post.letter.v1, partition');
    expect(shown.text).toContain('"to": "Grace"');

    const again = await run('replay', eventId);
    expect(again).toMatchObject({
      code: 1,
      text: expect.stringContaining('failed again: nobody knows Grace') as string,
    });
    unknownAddresses.clear();
    expect(await run('replay', eventId)).toEqual({
      code: 0,
      text: `depot.on-letter-posted:${eventId} was handled.`,
    });
    expect((await run('list')).text).toBe('There are no dead letters.');
  });

  it('replays all of a group, for machines too', async () => {
    unknownAddresses.add('Alan').add('Kurt');
    const ids = [await post('Alan'), await post('Kurt')].map((id) => `depot.on-letter-posted:${id}`);
    const listed = JSON.parse((await run('list', '--json', '--group', 'depot.bags')).text) as {
      id: string;
    }[];
    expect(listed.map(({ id }) => id)).toEqual(ids);
    unknownAddresses.clear();
    const { code, text } = await run('replay', '--all', '--json', '--group', 'depot.bags');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toEqual({ settled: ids, failedAgain: [], waiting: [] });
  });

  it('drops a letter on order', async () => {
    unknownAddresses.add('Nobody');
    const eventId = await post('Nobody');
    expect((await run('drop', eventId)).text).toContain('was dropped');
    expect((await run('list')).text).toBe('There are no dead letters.');
  });

  it.each([
    [['show', 'evt_nothing'], 'There is no dead letter evt_nothing'],
    [['list', '--group', 'depot.nothing'], 'There are: depot.bags, depot.view-letters'],
    [['replay'], '`replay` needs a letter or --all'],
    [['drop', '--all'], '`drop` needs a letter'],
    [['burn', 'x'], 'usage:'],
    [['list', '--what'], 'usage:'],
  ])('says what is wrong with `npm run dead -- %j`', async (args, told) => {
    await expect(run(...args)).rejects.toThrow(OperatorError);
    await expect(run(...args)).rejects.toThrow(told);
  });

  describe('npm run replay', () => {
    const rebuild = async (args: string[], env: Record<string, string> = { ACTOR_SECRET }) => {
      const printed: string[] = [];
      const code = await replay(args, {
        env,
        urls: () => ({ depot: service.url, bank: 'http://127.0.0.1:1' }),
        actorSecret: () => 'another-secret-than-the-one-of-the-service',
        print: (text) => void printed.push(text),
      });
      return { code, text: printed.join('\n') };
    };

    it('rebuilds a view of a running app to the same rows', async () => {
      await post('Emmy');
      const rows = service.database.connection.collection('view_letters');
      const before = await rows.countDocuments({});
      await rows.deleteMany({});
      const { code, text } = await rebuild(['depot.view-letters', '--json']);
      expect(code).toBe(0);
      expect(JSON.parse(text)).toMatchObject({ projection: 'depot.view-letters', events: before });
      expect(await rows.countDocuments({})).toBe(before);
      expect((await rebuild(['depot.view-letters'])).text).toContain(`is rebuilt from ${before} event`);
    });

    it.each([
      [['depot.view-nothing'], 'There are: depot.view-letters'],
      [['moon.view-craters'], 'There is no app moon. There are: depot, bank.'],
      [['bank.view-accounts'], 'bank does not answer at http://127.0.0.1:1'],
      [['Depot'], 'is not the id of one projection'],
    ])('says what is wrong with `npm run replay -- %j`', async (args, told) => {
      await expect(rebuild(args)).rejects.toThrow(told);
    });

    it('is refused when it is signed with another secret', async () => {
      await expect(rebuild(['depot.view-letters'], {})).rejects.toThrow('The actor header is invalid');
    });
  });
});
