import type { PAYMENT_PURPOSES } from '@atelier/contracts/commerce/payment.events';
import { fromMoneyWire, majorUnitsText, type MoneyWire } from '@atelier/kernel';

const PURPOSE_TEXTS: Readonly<Record<(typeof PAYMENT_PURPOSES)[number], string>> = {
  credit_package: 'credit package',
  subscription: 'subscription',
  agent_subscription: 'agent subscription',
  order: 'order',
  listing: 'purchase',
};
export const purposeText = (purpose: keyof typeof PURPOSE_TEXTS): string => PURPOSE_TEXTS[purpose];

/** `19.99 USD`, `500 JPY`. */
export const moneyText = (amount: MoneyWire): string =>
  `${majorUnitsText(fromMoneyWire(amount))} ${amount.currency}`;
