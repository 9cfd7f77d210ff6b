import { messagingEnvironment } from '@atelier/messaging';
import { persistenceEnvironment } from '@atelier/persistence';
import { defineConfig } from '@atelier/service';

/** Analytics' whole environment: it has no variable of its own. */
export const analyticsConfig = defineConfig('analytics', {
  ...persistenceEnvironment,
  ...messagingEnvironment,
});
