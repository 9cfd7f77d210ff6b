import { Module } from '@nestjs/common';
import { JobFinished, JobRequested } from '@atelier/contracts/studio/job.events';
import { MessagingModule } from '@atelier/messaging';
import { PersistenceModule } from '@atelier/persistence';
import { EnhancementsModule } from './enhancements/enhancements.module.js';
import { ImagesModule } from './images/images.module.js';

/** Studio: pictures and the AI jobs that work on them. It listens to no other service. */
@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'studio', migrations: [] }),
    MessagingModule.forRoot({ app: 'studio', publishes: [JobRequested, JobFinished] }),
    ImagesModule,
    EnhancementsModule,
  ],
})
export class StudioModule {}
