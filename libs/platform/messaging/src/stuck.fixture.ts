/** A whole service with a consumer that never ends, for `runner.int.spec.ts`, which runs it as a process of its own. */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { bootstrap } from '@atelier/service';
import { Consumer, type Consumes } from './consumer.js';
import { notebookConfig, NotebookModule, NoteWritten } from './note.fixture.js';

@Consumer({ id: 'notebook.on-note-written', group: 'notebook.stuck', consumes: NoteWritten })
class OnNoteWritten implements Consumes<typeof NoteWritten> {
  handle(): Promise<void> {
    return new Promise(() => undefined);
  }
}

@Module({ imports: [NotebookModule], controllers: [OnNoteWritten] })
class StuckModule {}

await bootstrap(StuckModule, notebookConfig);
