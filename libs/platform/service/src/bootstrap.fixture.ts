/** A whole service for `bootstrap.int.spec.ts`, which runs it as a process of its own. */
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { Public } from '@atelier/auth';
import { withSpan } from '@atelier/observability';
import { bootstrap } from './bootstrap.js';
import { defineConfig } from './config.js';
import { ShutdownSequence } from './shutdown.js';

@Public()
@Controller('api/v1/fixture')
class FixtureController {
  constructor(sequence: ShutdownSequence) {
    sequence.add('relay', 'relay', () => void process.stdout.write('relay stopped\n'));
    sequence.add('database', 'database', async () => {
      process.stdout.write('database stopping\n');
      if (process.env.HANG === '1') await new Promise<void>(() => undefined);
      process.stdout.write('database stopped\n');
    });
  }

  @Get()
  read() {
    return withSpan('fixture.read', {}, async () => ({ ok: true }));
  }

  @Get('throw')
  later() {
    setImmediate(() => {
      throw new Error('nobody caught this');
    });
    return {};
  }
}

@Module({ controllers: [FixtureController] })
class FixtureModule {}

await bootstrap(FixtureModule, defineConfig('fixture', {}));
