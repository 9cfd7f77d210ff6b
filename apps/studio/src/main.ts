import { bootstrap } from '@atelier/service';
import { studioConfig } from './studio.config.js';
import { StudioModule } from './studio.module.js';

await bootstrap(StudioModule, studioConfig);
