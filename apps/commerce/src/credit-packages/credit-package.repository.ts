import { Injectable } from '@nestjs/common';
import { aggregateSchema, Database, Outbox, Repository, type PageRequest } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import type { CreditPackage } from './credit-package.domain.js';

const schema = aggregateSchema<CreditPackage>({
  name: { type: String, required: true },
  credits: { type: Number, required: true, min: 1 },
  bonusCredits: { type: Number, required: true, min: 0 },
  price: { amount: { type: Number, required: true, min: 1 }, currency: { type: String, required: true } },
  stripePriceId: { type: String },
  active: { type: Boolean, required: true },
  sortOrder: { type: Number, required: true },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
})
  .index({ active: 1, sortOrder: 1, _id: 1 })
  .index(
    { stripePriceId: 1 },
    { unique: true, partialFilterExpression: { stripePriceId: { $exists: true } } },
  );

/** Nobody owns a package: the catalogue is the platform's own, and public. */
@Injectable()
export class CreditPackageRepository extends Repository<CreditPackage, never> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'credit_packages', schema, owner: [] });
  }

  /** What is sold, in the order of the pricing page (R247). */
  onSale({ limit, cursor }: PageRequest<CreditPackage>): Promise<Page<CreditPackage>> {
    return this.pageAcrossOwners(
      { active: true },
      { limit, cursor, sort: { by: 'sortOrder', direction: 1 } },
      'public listing',
    );
  }
}
