import { Module } from '@nestjs/common';
import { PromptsModule } from '../prompts/prompts.module.js';
import { DepartureRepository } from './departure.repository.js';
import { Departures } from './departures.process.js';
import { NoteDeparture } from './note-departure.usecase.js';
import { OnUserDeleted } from './on-user-deleted.consumer.js';

@Module({
  imports: [PromptsModule],
  controllers: [OnUserDeleted],
  providers: [DepartureRepository, NoteDeparture, Departures],
})
export class DeparturesModule {}
