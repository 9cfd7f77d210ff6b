import type { PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { creditsText, IN_APP_AND_EMAIL, type News } from './news.domain.js';

type Data = (typeof PurchaseRefunded)['example'];

/** Both sides of an undone sale learn of it, and why. Who decided is nobody's news. */
export const purchaseRefunded = (data: Data): News[] => [
  {
    recipientId: data.buyerId,
    template: 'purchase_refunded_buyer',
    type: 'info',
    category: 'billing',
    priority: 'high',
    title: `Refunded: “${data.title}”`,
    message: `You have ${creditsText(data.priceCredits)} back. Reason: ${data.reason}`,
    actionText: 'See your credits',
    actionUrl: '/api/v1/billing/credits',
    channels: IN_APP_AND_EMAIL,
  },
  {
    recipientId: data.sellerId,
    template: 'purchase_refunded_seller',
    type: 'warning',
    category: 'billing',
    priority: 'high',
    title: `A sale was refunded: “${data.title}”`,
    message:
      `Your earnings of ${creditsText(data.sellerEarningsCredits)} from this sale were taken back. ` +
      `Reason: ${data.reason}`,
    actionText: 'See the listing',
    actionUrl: `/api/v1/marketplace/listings/${data.listingId}`,
    channels: IN_APP_AND_EMAIL,
  },
];
