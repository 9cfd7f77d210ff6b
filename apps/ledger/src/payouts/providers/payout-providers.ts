import { Injectable } from '@nestjs/common';
import { Clock, DomainError } from '@atelier/kernel';
import { Logger } from '@atelier/observability';
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
  private readonly providers: readonly PayoutProvider[];
  private readonly accountSeal: AccountSeal | undefined;

  constructor(
    @InjectConfig(ledgerConfig) config: LedgerConfig,
    transfers: BankTransferRepository,
    sandbox: SandboxPayoutProvider,
    clock: Clock,
    log: Logger,
  ) {
    const seal = config.PAYOUT_ACCOUNT_KEY ? new AccountSeal(config.PAYOUT_ACCOUNT_KEY) : undefined;
    this.accountSeal = seal;
    this.providers = [
      ...(seal ? [new BankFileProvider(transfers, seal, clock)] : []),
      ...(config.NODE_ENV === 'production' ? [] : [sandbox]),
    ];
    if (this.providers.length === 0) {
      log.warn(
        'nobody can be paid: no payout provider is set up, and PAYOUT_ACCOUNT_KEY would set up bank files',
      );
    }
  }

  /** Opens what is sealed for the bank. Throws unavailable `ledger.payout_provider.none` without a key. */
  get seal(): AccountSeal {
    if (!this.accountSeal) throw notSetUp('bank_file');
    return this.accountSeal;
  }

  /** Throws unavailable `ledger.payout_provider.none`: a method of a provider that is set up no longer. */
  named(name: string): PayoutProvider {
    return this.first((provider) => provider.name === name, name);
  }

  /** Who takes new methods of this type. Throws unavailable `ledger.payout_provider.none`. */
  forType(type: PayoutMethodType): PayoutProvider {
    return this.first(({ types }) => types.includes(type), type);
  }

  /** Keeps the code of a disabled method here. Of a provider that is set up no longer none leaves anyway. */
  async withdrawCode({ id, provider }: { readonly id: string; readonly provider: string }): Promise<void> {
    await this.providers.find(({ name }) => name === provider)?.withdrawCode(id);
  }

  private first(fits: (provider: PayoutProvider) => boolean, wanted: string): PayoutProvider {
    const provider = this.providers.find(fits);
    if (!provider) throw notSetUp(wanted);
    return provider;
  }
}

const notSetUp = (wanted: string) =>
  new DomainError({
    kind: 'unavailable',
    code: 'ledger.payout_provider.none',
    detail: `Nobody who pays to ${wanted} is set up here. Nothing was changed; choose another kind of account.`,
  });
