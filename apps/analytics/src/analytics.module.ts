import { Module } from '@nestjs/common';
import { MessagingModule } from '@atelier/messaging';
import { PersistenceModule } from '@atelier/persistence';
import { CreditsModule } from './credits/credits.module.js';
import { JobsModule } from './jobs/jobs.module.js';
import { SalesModule } from './sales/sales.module.js';

@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'analytics', migrations: [] }),
    MessagingModule.forRoot({ app: 'analytics', publishes: [] }),
    SalesModule,
    CreditsModule,
    JobsModule,
  ],
})
export class AnalyticsModule {}
