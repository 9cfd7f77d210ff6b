import { bootstrap } from '@atelier/service';
import { identityConfig } from './identity.config.js';
import { IdentityModule } from './identity.module.js';

await bootstrap(IdentityModule, identityConfig);
