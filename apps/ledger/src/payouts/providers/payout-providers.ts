import { Injectable } from '@nestjs/common';
import { Clock, DomainError } from '@atelier/kernel';
import { InjectConfig } from '@atelier/service';
import { ledgerConfig, type LedgerConfig } from '../../ledger.config.js';
import { BankFileProvider } from './bank-file.provider.js';
import { BankTransferRepository } from './bank-transfer.repository.js';
import type { PayoutMethodType, PayoutProvider } from './payout-provider.js';
import { SandboxPayoutProvider } from './sandbox.provider.js';
import { AccountSeal } from './sealed-account.js';

/** The providers that this installation works with. In production the sandbox, which moves no money, is none. */
@Injectable()
export class PayoutProviders {
  /** Opens what is sealed for the bank; undefined without a key. */
  readonly seal: AccountSeal | undefined;
  private readonly providers: readonly PayoutProvider[];

  constructor(
    @InjectConfig(ledgerConfig) config: LedgerConfig,
    transfers: BankTransferRepository,
    sandbox: SandboxPayoutProvider,
    clock: Clock,
  ) {
    this.seal = config.PAYOUT_ACCOUNT_KEY ? new AccountSeal(config.PAYOUT_ACCOUNT_KEY) : undefined;
    this.providers = [
      ...(this.seal ? [new BankFileProvider(transfers, this.seal, clock)] : []),
      ...(config.NODE_ENV === 'production' ? [] : [sandbox]),
    ];
  }

  /** Throws unavailable `ledger.payout_provider.none`: a method of a provider that is set up no longer. */
  named(name: string): PayoutProvider {
    return this.first((provider) => provider.name === name, name);
  }

  /** Who takes new methods of this type. Throws unavailable `ledger.payout_provider.none`. */
  forType(type: PayoutMethodType): PayoutProvider {
    return this.first(({ types }) => types.includes(type), type);
  }

  private first(fits: (provider: PayoutProvider) => boolean, wanted: string): PayoutProvider {
    const provider = this.providers.find(fits);
    if (provider) return provider;
    throw new DomainError({
      kind: 'unavailable',
      code: 'ledger.payout_provider.none',
      detail: `Nobody who pays to ${wanted} is set up here. Nothing was changed; choose another kind of account.`,
    });
  }
}
