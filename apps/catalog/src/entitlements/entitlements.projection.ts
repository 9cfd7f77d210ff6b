import mongoose from 'mongoose';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { Projection, type EventOf, type Projects } from '@atelier/messaging';
import { currentSession, Database } from '@atelier/persistence';

/** What one purchase gives its buyer. */
interface EntitlementRow {
  /** The purchase's id. */
  _id: string;
  buyerId: string;
  promptId: string;
  listingId: string;
  grantedAt?: Date;
  revokedAt?: Date;
}

const entitlementSchema = new mongoose.Schema<EntitlementRow>(
  {
    _id: { type: String, required: true },
    buyerId: { type: String, required: true },
    promptId: { type: String, required: true },
    listingId: { type: String, required: true },
    grantedAt: { type: Date },
    revokedAt: { type: Date },
  },
  { versionKey: false, strict: 'throw', _id: false },
).index({ buyerId: 1, promptId: 1, revokedAt: 1 });

/**
 * Who may read a prompt that is not theirs. There is one row per purchase, completion and refund write a field
 * each, and a refund wins: so facts may come in any order and more than once, and the refund of an old purchase
 * takes nothing from a newer one.
 */
@Projection({
  id: 'catalog.view-entitlements',
  group: 'catalog.view-entitlements',
  consumes: [PurchaseCompleted, PurchaseRefunded],
})
export class Entitlements implements Projects<typeof PurchaseCompleted | typeof PurchaseRefunded> {
  private readonly rows: mongoose.Model<EntitlementRow>;

  constructor(database: Database) {
    this.rows = database.model<EntitlementRow>('view_entitlements', entitlementSchema);
  }

  /** Whether the user owns this prompt by a purchase that stands. */
  async has(buyerId: string, promptId: string): Promise<boolean> {
    const row = await this.rows.collection.findOne(
      { buyerId, promptId, revokedAt: null },
      { projection: { _id: 1 }, session: currentSession() },
    );
    return row !== null;
  }

  async handle({ data }: EventOf<typeof PurchaseCompleted | typeof PurchaseRefunded>): Promise<void> {
    const { purchaseId, buyerId, promptId, listingId } = data;
    const change =
      'refundedAt' in data
        ? { revokedAt: new Date(data.refundedAt) }
        : { grantedAt: new Date(data.completedAt) };
    await this.rows.collection.updateOne(
      { _id: purchaseId as never },
      { $set: { buyerId, promptId, listingId, ...change } },
      { upsert: true, session: currentSession() },
    );
  }

  async reset(): Promise<void> {
    await this.rows.collection.deleteMany({});
  }
}
