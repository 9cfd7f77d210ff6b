import type { PurchaseCompleted } from '@atelier/contracts/commerce/purchase.events';
import { creditsText, IN_APP_AND_EMAIL, type News } from './news.domain.js';

type Data = (typeof PurchaseCompleted)['example'];

/** The buyer gets the receipt, the seller the earnings. */
export const purchaseCompleted = (data: Data): News[] => [
  {
    recipientId: data.buyerId,
    template: 'purchase_completed_buyer',
    type: 'success',
    category: 'billing',
    priority: 'normal',
    title: `You bought “${data.title}”`,
    message: `You paid ${creditsText(data.priceCredits)}. The whole prompt is yours to read now.`,
    actionText: 'Read the prompt',
    actionUrl: `/api/v1/prompts/${data.promptId}`,
    channels: IN_APP_AND_EMAIL,
  },
  {
    recipientId: data.sellerId,
    template: 'purchase_completed_seller',
    type: 'success',
    category: 'billing',
    priority: 'normal',
    title: `You sold “${data.title}”`,
    message:
      `You earned ${creditsText(data.sellerEarningsCredits)}: the price of ${creditsText(data.priceCredits)} ` +
      `less a fee of ${creditsText(data.platformFeeCredits)}.`,
    actionText: 'See the listing',
    actionUrl: `/api/v1/marketplace/listings/${data.listingId}`,
    channels: IN_APP_AND_EMAIL,
  },
];
