import type { UserRegistered } from '@atelier/contracts/identity/user.events';
import { IN_APP_AND_EMAIL, type News } from './news.domain.js';

type Data = (typeof UserRegistered)['example'];

export const userRegistered = (data: Data): News[] => [
  {
    recipientId: data.userId,
    template: 'user_registered',
    type: 'info',
    category: 'product',
    priority: 'normal',
    title: 'Welcome to Atelier',
    message: 'Write your first prompt, or look at what others sell on the marketplace.',
    actionText: 'See the marketplace',
    actionUrl: '/api/v1/marketplace/listings',
    channels: IN_APP_AND_EMAIL,
  },
];
