import type { PAYMENT_PURPOSES } from '@atelier/contracts/commerce/payment.events';
import type { MoneyWire } from '@atelier/kernel';

const PURPOSE_TEXTS: Readonly<Record<(typeof PAYMENT_PURPOSES)[number], string>> = {
  credit_package: 'credit package',
  subscription: 'subscription',
  agent_subscription: 'agent subscription',
  order: 'order',
  listing: 'purchase',
};
export const purposeText = (purpose: keyof typeof PURPOSE_TEXTS): string => PURPOSE_TEXTS[purpose];

/** `19.99 USD`, `500 JPY`: exact, with as many decimals as the currency has. */
export function moneyText({ amount, currency }: MoneyWire): string {
  const digits =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 0;
  const minor = BigInt(amount);
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0');
  const sign = minor < 0n ? '-' : '';
  const whole = text.slice(0, text.length - digits);
  return `${sign}${whole}${digits > 0 ? `.${text.slice(-digits)}` : ''} ${currency}`;
}
