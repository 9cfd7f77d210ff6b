import { bootstrap } from '@atelier/service';
import { catalogConfig } from './catalog.config.js';
import { CatalogModule } from './catalog.module.js';

await bootstrap(CatalogModule, catalogConfig);
