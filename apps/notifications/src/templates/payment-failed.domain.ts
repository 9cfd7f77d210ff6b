import type { PaymentFailed } from '@atelier/contracts/commerce/payment.events';
import { IN_APP_AND_EMAIL, type News } from './news.domain.js';
import { moneyText, purposeText } from './payment-text.domain.js';

type Data = (typeof PaymentFailed)['example'];

export const paymentFailed = (data: Data): News[] => [
  {
    recipientId: data.userId,
    template: 'payment_failed',
    type: 'error',
    category: 'billing',
    priority: 'high',
    title: `Payment of ${moneyText(data.amount)} failed`,
    message:
      `Nothing was charged for your ${purposeText(data.purpose)}. Try again or pay in another way. ` +
      `Reason: ${data.reason.replaceAll('_', ' ')}`,
    actionText: 'See the payment',
    actionUrl: `/api/v1/billing/payments/${data.paymentId}`,
    channels: IN_APP_AND_EMAIL,
  },
];
