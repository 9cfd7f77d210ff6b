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
import type { EventDefinition, EventEnvelope } from '@atelier/kernel';
import type { AuditEntry } from './audit-log.js';

/*
 * What admins and moderators do in other services, as the audit log tells it (R541).
 * - No entry names a user whom it concerns: people read what does, and who moderated them is not for them to know.
 * - What somebody does to what is their own is no admin action.
 */

/** The entry for a fact; undefined when no admin or moderator did it. */
export const adminActionOf = ({ type, data }: EventEnvelope): AuditEntry | undefined =>
  ENTRIES.get(type)?.(data as never);

const when = <Data>(definition: EventDefinition<Data>, entry: (data: Data) => AuditEntry | undefined) =>
  [definition.type, entry] as const;

const ENTRIES: ReadonlyMap<string, (data: never) => AuditEntry | undefined> = new Map<
  string,
  (data: never) => AuditEntry | undefined
>([
  when(AdjustmentRequested, ({ adjustmentId, userId, amount, reason }) => ({
    action: 'token_adjustment',
    severity: 'high',
    targetId: adjustmentId,
    description: "A change of somebody's credits was asked for.",
    metadata: { step: 'requested', userId, amount, reason },
  })),
  when(AdjustmentApproved, ({ adjustmentId, userId, amount, reason, requestedById, entryId }) => ({
    action: 'token_adjustment',
    severity: 'high',
    targetId: adjustmentId,
    description: "A change of somebody's credits was approved by a second admin.",
    metadata: { step: 'approved', userId, amount, reason, requestedById, entryId },
  })),
  when(AdjustmentRejected, ({ adjustmentId, userId, amount, requestedById, rejectionReason }) => ({
    action: 'token_adjustment',
    severity: 'high',
    targetId: adjustmentId,
    description: "A change of somebody's credits was refused.",
    metadata: { step: 'rejected', userId, amount, reason: rejectionReason, requestedById },
  })),
  when(VoucherCreated, ({ voucherId, code, type, value }) => ({
    action: 'voucher_create',
    severity: 'medium',
    targetId: voucherId,
    description: 'A voucher was made.',
    metadata: { code, type, value },
  })),
  when(VoucherUpdated, ({ voucherId, code, status }) => ({
    action: 'voucher_update',
    severity: 'medium',
    targetId: voucherId,
    description: 'A voucher was turned off or on again.',
    metadata: { code, status },
  })),
  when(ListingPublished, ({ listingId, sellerId }) => ({
    action: 'listing_approve',
    severity: 'low',
    targetId: listingId,
    description: 'A listing was approved.',
    metadata: { sellerId },
  })),
  when(ListingRejected, ({ listingId, sellerId, reason }) => ({
    action: 'listing_reject',
    severity: 'low',
    targetId: listingId,
    description: 'A listing was refused.',
    metadata: { sellerId, reason },
  })),
  when(ListingWithdrawn, ({ listingId, sellerId, withdrawnBy, how, reason }) =>
    withdrawnBy === sellerId
      ? undefined
      : {
          action: 'listing_withdraw',
          severity: 'medium',
          targetId: listingId,
          description: `A listing was ${how} by a moderator.`,
          metadata: { sellerId, how, reason },
        },
  ),
  when(PurchaseRefunded, ({ purchaseId, buyerId, sellerId, priceCredits, reason }) => ({
    action: 'purchase_refund',
    severity: 'medium',
    targetId: purchaseId,
    description: 'A purchase was refunded.',
    metadata: { buyerId, sellerId, priceCredits, reason },
  })),
]);
