import type { Id } from '@atelier/kernel';

/** Credits that can be bought once, not by subscription (R244). What is no longer sold is kept (R246). */
export interface CreditPackage {
  readonly id: Id<'pkg'>;
  readonly version: number;
  readonly name: string;
  readonly credits: number;
  readonly bonusCredits: number;
  /** Minor units (R245). */
  readonly price: { readonly amount: number; readonly currency: string };
  readonly stripePriceId?: string;
  readonly active: boolean;
  readonly sortOrder: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
