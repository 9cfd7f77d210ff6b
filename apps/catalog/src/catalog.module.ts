import { Module } from '@nestjs/common';
import {
  PromptCreated,
  PromptDeleted,
  PromptPublished,
  PromptUpdated,
} from '@atelier/contracts/catalog/prompt.events';
import { MessagingModule } from '@atelier/messaging';
import { PersistenceModule } from '@atelier/persistence';
import { DeparturesModule } from './departures/departures.module.js';
import { PromptsModule } from './prompts/prompts.module.js';

@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'catalog', migrations: [] }),
    MessagingModule.forRoot({
      app: 'catalog',
      publishes: [PromptCreated, PromptUpdated, PromptPublished, PromptDeleted],
    }),
    PromptsModule,
    DeparturesModule,
  ],
})
export class CatalogModule {}
