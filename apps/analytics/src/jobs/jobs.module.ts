import { Module } from '@nestjs/common';
import { JobsDaily } from './jobs-daily.projection.js';
import { JobsController } from './jobs.controller.js';

/** The projection is a controller, where its facts come in, and a provider, where the route asks it. */
@Module({ controllers: [JobsController, JobsDaily], providers: [JobsDaily] })
export class JobsModule {}
