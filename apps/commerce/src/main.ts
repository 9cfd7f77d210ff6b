import { bootstrap } from '@atelier/service';
import { commerceConfig } from './commerce.config.js';
import { CommerceModule } from './commerce.module.js';

await bootstrap(CommerceModule, commerceConfig);
