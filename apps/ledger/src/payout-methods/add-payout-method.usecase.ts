import { Clock, idFor, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { InjectConfig, UseCase } from '@atelier/service';
import type { AddPayoutMethodRequest } from '@atelier/contracts/ledger/payout-methods.api';
import { AccountTurns } from '../accounts/account-turns.js';
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

const DAY_MS = 86_400_000;

/**
 * Takes an account of the caller's: the provider gets its details and sends it a code, we keep a reference. A
 * user's first method is the default. A code may cost a transfer, so deleted methods count too for a while.
 *
 * Fails with: ledger.payout_method.iban | too_many, ledger.payout_provider.none, ledger.account.not_a_user | busy.
 */
@UseCase('ledger.add-payout-method')
export class AddPayoutMethod {
  constructor(
    private readonly database: Database,
    private readonly methods: PayoutMethodRepository,
    private readonly providers: PayoutProviders,
    private readonly turns: AccountTurns,
    private readonly chooseDefault: ChooseDefault,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute(request: AddPayoutMethodRequest, context: Context): Promise<PayoutMethod> {
    const userId = callerOf(context);
    const id = idFor(context, 'pym');
    assertAccount(request.account);
    const stored = await this.methods.load(id, { userId });
    // One after the other, so that each counts the one before. Each further replica may let one more through.
    const method = stored ?? (await this.turns.take([userId], () => this.add(id, userId, request, context)));
    // When it is kept, and again for a repeat whose first died here: it is sent once.
    if (method.status === 'pending') {
      await this.providers.named(method.provider).sendCode(id, method.providerAccountId);
    }
    return method;
  }

  private async add(
    id: PayoutMethod['id'],
    userId: PayoutMethod['userId'],
    { account, isDefault }: AddPayoutMethodRequest,
    context: Context,
  ): Promise<PayoutMethod> {
    const now = this.clock.now();
    const { PAYOUT_METHODS_PER_USER_MAX: max, PAYOUT_METHODS_WINDOW_DAYS: windowDays } = this.config;
    const since = new Date(now.getTime() - windowDays * DAY_MS);
    if ((await this.methods.countOf(userId, since, max)) >= max) throw tooManyPayoutMethods(max, windowDays);
    const provider = this.providers.forType(account.type);
    const { providerAccountId } = await provider.register(id, account);
    const method = { id, userId, provider: provider.name, providerAccountId, account, isDefault: false };
    return this.database.transaction(async () => {
      const added = await this.methods.save(addPayoutMethod(method, now), context);
      const wanted = isDefault ?? !(await this.methods.defaultOf(userId));
      return wanted ? this.chooseDefault.execute(id, context) : added;
    });
  }
}
