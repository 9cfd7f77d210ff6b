import type { ListingPublished } from '@atelier/contracts/commerce/listing.events';
import { creditsText, IN_APP_AND_EMAIL, type News } from './news.domain.js';

type Data = (typeof ListingPublished)['example'];

export const listingPublished = (data: Data): News[] => [
  {
    recipientId: data.sellerId,
    template: 'listing_published',
    type: 'success',
    category: 'product',
    priority: 'normal',
    title: `“${data.title}” is on the marketplace`,
    message: `Your listing was approved and sells for ${creditsText(data.priceCredits)}.`,
    actionText: 'See the listing',
    actionUrl: `/api/v1/marketplace/listings/${data.listingId}`,
    channels: IN_APP_AND_EMAIL,
  },
];
