import { bootstrap } from '@atelier/service';
import { analyticsConfig } from './analytics.config.js';
import { AnalyticsModule } from './analytics.module.js';

await bootstrap(AnalyticsModule, analyticsConfig);
