import type { ListingRejected } from '@atelier/contracts/commerce/listing.events';
import { IN_APP_AND_EMAIL, type News } from './news.domain.js';

type Data = (typeof ListingRejected)['example'];

export const listingRejected = (data: Data): News[] => [
  {
    recipientId: data.sellerId,
    template: 'listing_rejected',
    type: 'warning',
    category: 'product',
    priority: 'high',
    title: `“${data.title}” was not approved`,
    message: `Change the listing and submit it again. Reason: ${data.reason}`,
    actionText: 'Change the listing',
    actionUrl: `/api/v1/marketplace/listings/${data.listingId}`,
    channels: IN_APP_AND_EMAIL,
  },
];
