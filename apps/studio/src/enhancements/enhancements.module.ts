import { Module, type Provider } from '@nestjs/common';
import { Clock } from '@atelier/kernel';
import { Logger } from '@atelier/observability';
import { HealthRegistry, ShutdownSequence, type ConfigOf } from '@atelier/service';
import { ImagesModule } from '../images/images.module.js';
import { JobBell } from '../jobs/job-bell.js';
import { JobStreams } from '../jobs/job-streams.js';
import { JobSweeper } from '../jobs/job-sweeper.process.js';
import { SettleJob } from '../jobs/settle-job.usecase.js';
import { ObjectStore } from '../objects/object-store.js';
import { ObjectsModule } from '../objects/objects.module.js';
import { studioConfig } from '../studio.config.js';
import { CancelJob } from './cancel-job.usecase.js';
import { EnhancementRepository } from './enhancement.repository.js';
import { EnhancementsController } from './enhancements.controller.js';
import { EnhancementWorker } from './enhancement-worker.process.js';
import { FindJob } from './find-job.usecase.js';
import { GeminiModel } from '../models/gemini-model.client.js';
import { JobsController } from './jobs.controller.js';
import { LedgerClient } from './ledger.client.js';
import { ListJobs } from './list-jobs.usecase.js';
import { LocalModel } from '../models/local-model.js';
import { ModelProvider } from '../models/model-provider.js';
import { ReadImageFile } from './read-image-file.usecase.js';
import { RequestEnhancement } from './request-enhancement.usecase.js';

type Config = ConfigOf<typeof studioConfig>;

const modelProvider: Provider = {
  provide: ModelProvider,
  inject: [studioConfig.token, ShutdownSequence],
  useFactory: (config: Config, shutdown: ShutdownSequence): ModelProvider => {
    if (config.MODEL_PROVIDER === 'local') return new LocalModel();
    if (!config.GEMINI_API_KEY) throw new Error('MODEL_PROVIDER=gemini needs GEMINI_API_KEY');
    const model = new GeminiModel({
      baseUrl: config.GEMINI_URL,
      apiKey: config.GEMINI_API_KEY,
      model: config.GEMINI_MODEL,
      temperature: config.GEMINI_TEMPERATURE,
    });
    shutdown.add('jobs', 'model provider', () => model.close());
    return model;
  },
};

const worker: Provider = {
  provide: EnhancementWorker,
  inject: [
    studioConfig.token,
    EnhancementRepository,
    JobBell,
    SettleJob,
    Clock,
    Logger,
    ShutdownSequence,
    ReadImageFile,
    ObjectStore,
    ModelProvider,
  ],
  useFactory: (
    config: Config,
    jobs: EnhancementRepository,
    bell: JobBell,
    settle: SettleJob,
    clock: Clock,
    logger: Logger,
    shutdown: ShutdownSequence,
    ...work: [ReadImageFile, ObjectStore, ModelProvider]
  ) =>
    new EnhancementWorker(
      {
        ...{ jobs, bell, settle, clock, logger, shutdown },
        limits: {
          atOnceMax: config.JOBS_AT_ONCE_MAX,
          pollMs: config.JOB_POLL_MS,
          leaseMs: config.JOB_LEASE_MS,
          attemptTimeoutMs: config.JOB_ATTEMPT_TIMEOUT_MS,
          backoffBaseMs: config.JOB_BACKOFF_BASE_MS,
        },
      },
      ...work,
    ),
};

const sweeper: Provider = {
  provide: JobSweeper,
  inject: [studioConfig.token, EnhancementRepository, JobBell, SettleJob, Clock, Logger, ShutdownSequence],
  useFactory: (
    config: Config,
    jobs: EnhancementRepository,
    bell: JobBell,
    settle: SettleJob,
    clock: Clock,
    logger: Logger,
    shutdown: ShutdownSequence,
  ) =>
    new JobSweeper({
      ...{ jobs, bell, settle, clock, logger, shutdown },
      limits: {
        sweepMs: config.JOB_SWEEP_MS,
        intentTtlMs: config.JOB_INTENT_TTL_MS,
        deadlineMs: config.JOB_DEADLINE_MS,
        backoffBaseMs: config.JOB_BACKOFF_BASE_MS,
      },
    }),
};

const streams: Provider = {
  provide: JobStreams,
  inject: [studioConfig.token, EnhancementRepository, HealthRegistry, Logger],
  useFactory: (config: Config, jobs: EnhancementRepository, health: HealthRegistry, logger: Logger) =>
    new JobStreams(jobs, health, logger, {
      streamsMax: config.JOB_STREAMS_MAX,
      streamsPerUserMax: config.JOB_STREAMS_PER_USER_MAX,
      pollMs: config.JOB_STREAM_POLL_MS,
      heartbeatMs: config.JOB_STREAM_HEARTBEAT_MS,
      durationMaxMs: config.JOB_STREAM_DURATION_MAX_MS,
    }),
};

/** Jobs that make better pictures: the first kind of job, on the mechanism of `jobs/`. */
@Module({
  imports: [ImagesModule, ObjectsModule],
  controllers: [EnhancementsController, JobsController],
  providers: [
    EnhancementRepository,
    LedgerClient,
    JobBell,
    SettleJob,
    RequestEnhancement,
    CancelJob,
    FindJob,
    ListJobs,
    ReadImageFile,
    modelProvider,
    worker,
    sweeper,
    streams,
  ],
})
export class EnhancementsModule {}
