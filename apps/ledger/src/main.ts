import { bootstrap } from '@atelier/service';
import { ledgerConfig } from './ledger.config.js';
import { LedgerModule } from './ledger.module.js';

await bootstrap(LedgerModule, ledgerConfig);
