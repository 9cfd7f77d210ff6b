import { Injectable } from '@nestjs/common';
import { DomainError } from '@atelier/kernel';
import { InjectConfig } from '@atelier/service';
import { commerceConfig, type CommerceConfig } from '../commerce.config.js';
import type { PaymentProvider } from './payment-provider.js';
import { SandboxProvider } from './sandbox/sandbox.provider.js';

/** The providers that this installation works with. In production the sandbox, which takes no money, is none. */
@Injectable()
export class PaymentProviders {
  private readonly providers: readonly PaymentProvider[];

  constructor(@InjectConfig(commerceConfig) config: CommerceConfig, sandbox: SandboxProvider) {
    this.providers = config.NODE_ENV === 'production' ? [] : [sandbox];
  }

  /** Throws not found `commerce.payment_provider.unknown`. */
  named(name: string): PaymentProvider {
    const provider = this.providers.find((candidate) => candidate.name === name);
    if (provider) return provider;
    throw new DomainError({
      kind: 'not_found',
      code: 'commerce.payment_provider.unknown',
      detail: 'There is no such payment provider here.',
    });
  }

  /** Who takes new payments. Throws unavailable `commerce.payment_provider.none`. */
  forCheckout(): PaymentProvider {
    const [provider] = this.providers;
    if (provider) return provider;
    throw new DomainError({
      kind: 'unavailable',
      code: 'commerce.payment_provider.none',
      detail: 'No payment provider is set up here; nothing can be paid for with money.',
    });
  }
}
