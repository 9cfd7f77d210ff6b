import type { PurchaseFailed } from '@atelier/contracts/commerce/purchase.events';
import type { Settlement } from '../../holds/hold.domain.js';

/** A purchase that was given up gives its hold back. Null when it had placed none. */
export function purchaseFailed({ holdId }: typeof PurchaseFailed.example): Settlement | null {
  return holdId && { holdId, end: 'release', reason: 'failed', mayBeMissing: true };
}
