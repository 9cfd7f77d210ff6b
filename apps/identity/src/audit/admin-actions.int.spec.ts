import {
  ListingPublished,
  ListingRejected,
  ListingWithdrawn,
} from '@atelier/contracts/commerce/listing.events';
import { PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { auditLogView } from '@atelier/contracts/identity/audit.api';
import {
  AdjustmentApproved,
  AdjustmentRejected,
  AdjustmentRequested,
} from '@atelier/contracts/ledger/adjustment.events';
import { VoucherCreated, VoucherUpdated } from '@atelier/contracts/ledger/voucher.events';
import { exampleEnvelope, newId, type EventDefinition } from '@atelier/kernel';
import { aUser, type ServiceUnderTest } from '@atelier/testing';
import { startIdentity } from '../identity.fixture.js';

const [admin, actor] = [aUser('admin'), aUser('moderator')];
const time = '2026-11-21T09:00:00.000Z';

let identity: ServiceUnderTest;
beforeAll(async () => {
  identity = await startIdentity();
});
afterAll(() => identity?.close());

const told = <Data>(definition: EventDefinition<Data>, data: Partial<Data> = {}) => {
  const example = { ...definition.example, ...data };
  return exampleEnvelope(definition, example, { time, actor: `user:${actor.id}` });
};
const recorded = async (query: string) =>
  (await identity.as(admin).get(`/api/v1/audit?${query}`)).body.items as unknown[];

describe('what admins and moderators do in other services', () => {
  const facts = [
    [AdjustmentRequested, 'adjustmentId', 'adj', 'token_adjustment'],
    [AdjustmentApproved, 'adjustmentId', 'adj', 'token_adjustment'],
    [AdjustmentRejected, 'adjustmentId', 'adj', 'token_adjustment'],
    [VoucherCreated, 'voucherId', 'vch', 'voucher_create'],
    [VoucherUpdated, 'voucherId', 'vch', 'voucher_update'],
    [ListingPublished, 'listingId', 'lst', 'listing_approve'],
    [ListingRejected, 'listingId', 'lst', 'listing_reject'],
    [ListingWithdrawn, 'listingId', 'lst', 'listing_withdraw'],
    [PurchaseRefunded, 'purchaseId', 'pur', 'purchase_refund'],
  ] as const;
  it.each(facts.map((fact) => [fact[0].type, ...fact] as const))(
    '%s is recorded once, with who did it and when (R456, R541)',
    async (_, definition, field, prefix, action) => {
      const id = newId(prefix);
      const event = told(definition as EventDefinition<object>, { [field]: id });
      await identity.redeliver(event);
      await identity.database.connection.collection('_inbox').deleteMany({});
      await identity.redeliver(event);
      const [record, ...more] = await recorded(`targetId=${id}`);
      expect(more).toEqual([]);
      expect(auditLogView.parse(record)).toMatchObject({
        ...{ action, actor: `user:${actor.id}`, eventType: 'admin_action', createdAt: time, userId: null },
      });
      expect(await identity.deadLetters()).toEqual([]);
    },
  );

  it('tells who asked for a change of credits, who agreed, and why (R542)', async () => {
    const adjustmentId = newId('adj');
    const { amount, reason, userId, requestedById } = AdjustmentApproved.example;
    await identity.publish(
      told(AdjustmentRequested, { adjustmentId }),
      told(AdjustmentApproved, { adjustmentId }),
    );
    const records = await recorded(`action=token_adjustment&targetId=${adjustmentId}`);
    expect(records).toHaveLength(2);
    expect(records).toContainEqual(
      expect.objectContaining({
        actor: `user:${actor.id}`,
        metadata: expect.objectContaining({ step: 'approved', amount, reason, userId, requestedById }),
      }),
    );
  });

  it('does not include what sellers do with their own listings', async () => {
    const listingId = newId('lst');
    const { sellerId } = ListingWithdrawn.example;
    await identity.publish(told(ListingWithdrawn, { listingId, how: 'deleted', withdrawnBy: sellerId }));
    expect(await recorded(`targetId=${listingId}`)).toEqual([]);
  });
});
