import { messagingEnvironment } from '@atelier/messaging';
import { persistenceEnvironment } from '@atelier/persistence';
import { defineConfig, serviceEnvironment } from '@atelier/service';

/** Catalog's whole environment: it has no variable of its own. */
export const catalogConfig = defineConfig('catalog', {
  ...serviceEnvironment,
  ...persistenceEnvironment,
  ...messagingEnvironment,
});
