import { Module } from '@nestjs/common';
import { MessagingModule } from '@atelier/messaging';
import { PersistenceModule } from '@atelier/persistence';
import {
  CreditsGranted,
  CreditsHeld,
  CreditsReleased,
  CreditsSpent,
} from '@atelier/contracts/ledger/credits.events';
import { AccountsModule } from './accounts/accounts.module.js';
import { AuditModule } from './audit/audit.module.js';
import { HoldsModule } from './holds/holds.module.js';
import { JournalModule } from './journal/journal.module.js';

const PUBLISHES = [CreditsGranted, CreditsHeld, CreditsSpent, CreditsReleased];

@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'ledger', migrations: [] }),
    MessagingModule.forRoot({ app: 'ledger', publishes: PUBLISHES }),
    AccountsModule,
    JournalModule,
    HoldsModule,
    AuditModule,
  ],
})
export class LedgerModule {}
