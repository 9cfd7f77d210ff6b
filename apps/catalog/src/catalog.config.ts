import { z } from 'zod';
import { messagingEnvironment } from '@atelier/messaging';
import { persistenceEnvironment } from '@atelier/persistence';
import { defineConfig } from '@atelier/service';

/** Catalog's whole environment. */
export const catalogConfig = defineConfig('catalog', {
  ...persistenceEnvironment,
  ...messagingEnvironment,
  /** How often it is looked whose prompts are still to be deleted. */
  DEPARTURES_SWEEP_MS: z.coerce.number().int().min(50).default(5_000),
});
