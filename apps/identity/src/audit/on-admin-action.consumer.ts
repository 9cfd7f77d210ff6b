import {
  ListingPublished,
  ListingRejected,
  ListingWithdrawn,
} from '@atelier/contracts/commerce/listing.events';
import { PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import {
  AdjustmentApproved,
  AdjustmentRejected,
  AdjustmentRequested,
} from '@atelier/contracts/ledger/adjustment.events';
import { VoucherCreated, VoucherUpdated } from '@atelier/contracts/ledger/voucher.events';
import type { Context, EventDefinition, EventEnvelope } from '@atelier/kernel';
import { Consumer, type Consumes } from '@atelier/messaging';
import { RecordAdminAction } from './record-admin-action.usecase.js';

/** Whatever other services tell of admins and moderators. */
@Consumer({
  id: 'identity.on-admin-action',
  group: 'identity.audit',
  consumes: [
    AdjustmentRequested,
    AdjustmentApproved,
    AdjustmentRejected,
    VoucherCreated,
    VoucherUpdated,
    ListingPublished,
    ListingRejected,
    ListingWithdrawn,
    PurchaseRefunded,
  ],
})
export class OnAdminAction implements Consumes<EventDefinition<unknown>> {
  constructor(private readonly recordAdminAction: RecordAdminAction) {}

  handle(fact: EventEnvelope, context: Context): Promise<void> {
    return this.recordAdminAction.execute(fact, context);
  }
}
