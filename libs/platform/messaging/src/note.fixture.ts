import { Body, Controller, Injectable, Module, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { Ctx } from '@atelier/auth';
import { defineEvent, idFor, idSchema, type Change, type Context } from '@atelier/kernel';
import {
  aggregateSchema,
  currentSession,
  Database,
  Outbox,
  persistenceEnvironment,
  PersistenceModule,
  Repository,
} from '@atelier/persistence';
import { defineConfig, Idempotent, UseCase } from '@atelier/service';
import { Consumer, Projection, type Consumes, type EventOf, type Projects } from './consumer.js';
import { messagingEnvironment } from './environment.js';
import { MessagingModule } from './messaging.module.js';

/** A whole service in one file, for the specs of this library: notes, and a count of them. */
export const NoteWritten = defineEvent({
  type: 'notebook.note.written.v1',
  summary: 'Somebody wrote a note.',
  data: z.object({ text: z.string() }),
  example: { text: 'hello' },
});
/** A fact of another service. */
export const OrderGiven = defineEvent({
  type: 'office.order.given.v1',
  summary: 'Somebody gave an order.',
  data: z.object({ text: z.string() }),
  example: { text: 'write!' },
});

interface Note {
  readonly id: string;
  readonly version: number;
  readonly ownerId: string;
  readonly text: string;
  readonly createdAt: Date;
}
const write = (id: string, ownerId: string, text: string, now: Date): Change<Note> => ({
  state: { id, version: 0, ownerId, text, createdAt: now },
  events: [NoteWritten(id, { text })],
});

@Injectable()
export class NoteRepository extends Repository<Note, 'ownerId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: 'notes',
      owner: ['ownerId'],
      schema: aggregateSchema<Note>({
        ownerId: { type: String, required: true },
        text: { type: String, required: true, maxlength: 100 },
        createdAt: { type: Date, required: true },
      }).index({ ownerId: 1, createdAt: -1, _id: -1 }),
    });
  }

  list(ownerId: string, limit: number, cursor?: string) {
    return this.page({ ownerId }, { limit, cursor });
  }
}

@UseCase('notebook.write-note')
export class WriteNote {
  constructor(private readonly notes: NoteRepository) {}

  execute(input: { id?: string; text: string }, context: Context): Promise<Note> {
    const id = input.id ?? idFor(context, 'not');
    return this.notes.save(write(id, context.actor.id, input.text, new Date()), context);
  }
}

@Controller('api/v1/notes')
export class NotesController {
  constructor(private readonly writeNote: WriteNote) {}

  @Post()
  @Idempotent()
  post(
    @Body({ schema: z.strictObject({ text: z.string() }) }) body: { text: string },
    @Ctx() context: Context,
  ): Promise<Note> {
    return this.writeNote.execute(body, context);
  }

  @Post(':id/text')
  change(@Param('id', { schema: idSchema('not') }) id: string): string {
    return id;
  }
}

/** What the specs make the reaction do: `fail:` always fails, `fail-once:` fails at its first try. */
export const tries = new Map<string, number>();

@Consumer({ id: 'notebook.on-order-given', group: 'notebook.orders', consumes: OrderGiven, ordered: true })
export class OnOrderGiven implements Consumes<typeof OrderGiven> {
  static broken = new Set<string>();
  /** Runs inside the transaction, before the note is written. */
  static before: (text: string) => Promise<void> = () => Promise.resolve();
  constructor(private readonly writeNote: WriteNote) {}

  async handle(event: EventOf<typeof OrderGiven>, context: Context): Promise<void> {
    tries.set(event.id, (tries.get(event.id) ?? 0) + 1);
    await OnOrderGiven.before(event.data.text);
    await this.writeNote.execute({ id: `not_${event.id.slice(4)}`, text: event.data.text }, context);
    if (OnOrderGiven.broken.has(event.data.text)) throw new Error('the pen is dry');
    if (event.data.text.startsWith('once') && tries.get(event.id) === 1) throw new Error('the pen slipped');
  }
}

@Projection({ id: 'notebook.note-count', group: 'notebook.note-count', consumes: NoteWritten })
export class NoteCount implements Projects<typeof NoteWritten> {
  constructor(private readonly database: Database) {}

  async handle(): Promise<void> {
    await this.database.connection
      .collection('view_note_count')
      .updateOne(
        { _id: 'all' as never },
        { $inc: { count: 1 } },
        { upsert: true, session: currentSession() },
      );
  }

  async reset(): Promise<void> {
    await this.database.connection.collection('view_note_count').deleteMany({});
  }

  async count(): Promise<number> {
    const row = await this.database.connection.collection('view_note_count').findOne({ _id: 'all' as never });
    return (row?.['count'] as number | undefined) ?? 0;
  }
}

@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'notebook' }),
    MessagingModule.forRoot({ app: 'notebook', publishes: [NoteWritten] }),
  ],
  controllers: [NotesController, OnOrderGiven, NoteCount],
  providers: [NoteRepository, WriteNote],
})
export class NotebookModule {}

export const notebookConfig = defineConfig('notebook', {
  ...persistenceEnvironment,
  ...messagingEnvironment,
});
