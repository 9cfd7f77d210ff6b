import { Clock, idFor, type Context } from '@atelier/kernel';
import { InjectConfig, UseCase } from '@atelier/service';
import type { AddPayoutMethodRequest } from '@atelier/contracts/ledger/payout-methods.api';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { PayoutProviders } from '../payouts/providers/payout-providers.js';
import { ChooseDefault } from './choose-default.usecase.js';
import {
  addPayoutMethod,
  assertAccount,
  tooManyPayoutMethods,
  type PayoutMethod,
} from './payout-method.domain.js';
import { PayoutMethodRepository } from './payout-method.repository.js';

/**
 * Takes an account of the caller's: the provider gets its details and sends it a code, we keep a reference. A
 * user's first method is the default.
 *
 * Fails with: ledger.payout_method.iban, ledger.payout_method.too_many, ledger.payout_provider.none.
 */
@UseCase('ledger.add-payout-method')
export class AddPayoutMethod {
  constructor(
    private readonly methods: PayoutMethodRepository,
    private readonly providers: PayoutProviders,
    private readonly chooseDefault: ChooseDefault,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute({ account, isDefault }: AddPayoutMethodRequest, context: Context): Promise<PayoutMethod> {
    const userId = callerOf(context);
    const id = idFor(context, 'pym');
    assertAccount(account);
    const max = this.config.PAYOUT_METHODS_PER_USER_MAX;
    const stored = await this.methods.load(id, { userId });
    if (!stored && (await this.methods.countOf(userId, max)) >= max) throw tooManyPayoutMethods(max);
    const provider = this.providers.forType(account.type);
    const { providerAccountId } = await provider.register(id, account);
    const added = addPayoutMethod(
      { id, userId, provider: provider.name, providerAccountId, account, isDefault: false },
      this.clock.now(),
    );
    const method = stored ?? (await this.methods.save(added, context));
    const wanted = isDefault ?? !(await this.methods.defaultOf(userId));
    return wanted ? this.chooseDefault.execute(id, context) : method;
  }
}
