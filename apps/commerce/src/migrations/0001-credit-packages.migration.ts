import { derivedId } from '@atelier/kernel';
import type { Migration } from '@atelier/persistence';

const MADE_AT = new Date('2026-11-21T00:00:00.000Z');

/** Prices are cents of USD. */
const PACKAGES = [
  { name: 'Starter', credits: 100, bonusCredits: 0, cents: 499 },
  { name: 'Creator', credits: 500, bonusCredits: 50, cents: 1_999 },
  { name: 'Studio', credits: 2_000, bonusCredits: 400, cents: 5_999 },
];

/** The first price list. Ids are derived, so that every installation, and every repeat, has the same. */
export const creditPackagesMigration: Migration = {
  id: '0001-credit-packages',
  async up(connection) {
    const packages = connection.collection('credit_packages');
    for (const [index, { name, credits, bonusCredits, cents }] of PACKAGES.entries()) {
      const _id = derivedId('pkg', name, MADE_AT);
      const price = { amount: cents, currency: 'USD' };
      const times = { createdAt: MADE_AT, updatedAt: MADE_AT };
      const row = {
        version: 1,
        name,
        credits,
        bonusCredits,
        price,
        active: true,
        sortOrder: (index + 1) * 10,
        ...times,
      };
      await packages.updateOne({ _id: _id as never }, { $setOnInsert: row }, { upsert: true });
    }
  },
};
