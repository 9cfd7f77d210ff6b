import type { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { creditsText, IN_APP_AND_EMAIL, type News } from './news.domain.js';
import { moneyText, purposeText } from './payment-text.domain.js';

type Data = (typeof PaymentSucceeded)['example'];

export const paymentSucceeded = (data: Data): News[] => [
  {
    recipientId: data.userId,
    template: 'payment_succeeded',
    type: 'success',
    category: 'billing',
    priority: 'normal',
    title: `Payment of ${moneyText(data.amount)} received`,
    message:
      data.credits === undefined
        ? `Thank you. Your ${purposeText(data.purpose)} is paid.`
        : `Thank you. ${creditsText(data.credits)} are on their way to your balance.`,
    actionText: 'See the payment',
    actionUrl: `/api/v1/billing/payments/${data.paymentId}`,
    channels: IN_APP_AND_EMAIL,
  },
];
