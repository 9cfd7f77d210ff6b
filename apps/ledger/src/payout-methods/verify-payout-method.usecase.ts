import { Clock, type Context, type Id } from '@atelier/kernel';
import { InjectConfig, UseCase } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { PayoutProviders } from '../payouts/providers/payout-providers.js';
import {
  checkCode,
  isVerifiedSince,
  payoutMethodNotFound,
  wrongCode,
  type PayoutMethod,
} from './payout-method.domain.js';
import { PayoutMethodRepository } from './payout-method.repository.js';

/**
 * Proves that the account is the caller's: by the code that was sent to it. Wrong codes are counted before the
 * caller is told, so that nobody can go on guessing.
 *
 * Fails with: ledger.account.not_a_user, ledger.payout_method.not_found | not_pending | wrong_code,
 * ledger.payout_provider.none.
 */
@UseCase('ledger.verify-payout-method')
export class VerifyPayoutMethod {
  constructor(
    private readonly methods: PayoutMethodRepository,
    private readonly providers: PayoutProviders,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute(id: Id<'pym'>, code: string, context: Context): Promise<PayoutMethod> {
    const userId = callerOf(context);
    const method = await this.methods.load(id, { userId });
    if (!method) throw payoutMethodNotFound();
    const max = this.config.PAYOUT_METHOD_CODES_MAX;
    const provider = this.providers.named(method.provider);
    const isRight = await provider.verify(id, method.providerAccountId, code);
    const firstSeenAt = context.idempotency?.firstSeenAt;
    if (isRight && firstSeenAt && isVerifiedSince(method, firstSeenAt)) return method;
    const checked = checkCode(method, isRight, max, this.clock.now());
    const saved = await this.methods.save(checked, context);
    if (saved.status === 'disabled') await this.providers.withdrawCode(saved);
    if (!isRight) throw wrongCode(max - saved.wrongCodes);
    return saved;
  }
}
