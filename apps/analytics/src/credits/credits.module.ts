import { Module } from '@nestjs/common';
import { CreditsDaily } from './credits-daily.projection.js';
import { CreditsController } from './credits.controller.js';

/** The projection is a controller, where its facts come in, and a provider, where the route asks it. */
@Module({ controllers: [CreditsController, CreditsDaily], providers: [CreditsDaily] })
export class CreditsModule {}
