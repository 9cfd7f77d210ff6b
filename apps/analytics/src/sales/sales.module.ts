import { Module } from '@nestjs/common';
import { SalesDaily } from './sales-daily.projection.js';
import { SalesController } from './sales.controller.js';

/** The projection is a controller, where its facts come in, and a provider, where the route asks it. */
@Module({ controllers: [SalesController, SalesDaily], providers: [SalesDaily] })
export class SalesModule {}
