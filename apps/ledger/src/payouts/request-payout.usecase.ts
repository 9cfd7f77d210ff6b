import { Clock, idFor, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { InjectConfig, UseCase } from '@atelier/service';
import type { RequestPayoutRequest } from '@atelier/contracts/ledger/payout-requests.api';
import { AccountTurns } from '../accounts/account-turns.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import { maturedUntil, payableCredits, salesOf, worthOf } from '../earnings/earnings.domain.js';
import { PostPayout } from '../journal/post-payout.usecase.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import {
  assertActive,
  noPayoutMethod,
  payoutMethodNotFound,
  type PayoutMethod,
} from '../payout-methods/payout-method.domain.js';
import { PayoutMethodRepository } from '../payout-methods/payout-method.repository.js';
import {
  factsOf,
  outOfBounds,
  payableInsufficient,
  requestPayout,
  type NewPayout,
  type PayoutRequest,
} from './payout-request.domain.js';
import { PayoutRequestRepository } from './payout-request.repository.js';

/**
 * Turns matured earnings into money that is to be paid out. The credits leave at once, so that nothing else can
 * spend them; they come back if the payout does not come about.
 *
 * Emits: PayoutRequested, CreditsSpent.
 * Fails with: ledger.payout.insufficient | out_of_bounds | open | currency_unknown,
 * ledger.payout_method.none | not_found | not_active, ledger.account.not_a_user | busy.
 */
@UseCase('ledger.request-payout')
export class RequestPayout {
  constructor(
    private readonly database: Database,
    private readonly payouts: PayoutRequestRepository,
    private readonly methods: PayoutMethodRepository,
    private readonly accounts: AccountRepository,
    private readonly statements: StatementRepository,
    private readonly turns: AccountTurns,
    private readonly postPayout: PostPayout,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute(request: RequestPayoutRequest, context: Context): Promise<PayoutRequest> {
    const userId = callerOf(context);
    const id = idFor(context, 'pyo');
    const stored = await this.payouts.load(id, { userId });
    if (stored) return stored;
    const { PAYOUT_CREDITS_MIN: min, PAYOUT_CREDITS_MAX: max } = this.config;
    const { amountCredits: credits, currency, methodId } = request;
    if (credits < min || credits > max) throw outOfBounds(credits, min, max);
    const method = await this.methodOf(userId, methodId);
    assertActive(method, this.config.PAYOUT_METHOD_WAIT_SECONDS, this.clock.now());
    const amount = worthOf(credits, currency, this.config.PAYOUT_MINOR_UNITS_PER_CREDIT);
    return this.turns.take([userId], () =>
      this.database.transaction(() => this.request({ id, method, credits, amount }, context)),
    );
  }

  private async request(payout: NewPayout, context: Context): Promise<PayoutRequest> {
    const now = this.clock.now();
    const { state, events } = requestPayout(payout, now);
    const saved = await this.payouts.save({ state, events }, context);
    await this.postPayout.execute({ step: 'requested', payout: factsOf(state) }, context);
    // Asked after the posting: it has locked the balance, so nothing can be spent or refunded between here and commit.
    const balance = await this.accounts.load(state.userId);
    const matured = maturedUntil(now, this.config.EARNINGS_MATURE_DAYS);
    const sales = salesOf(balance, await this.statements.soldSince(state.userId, matured));
    const before = { ...sales, paidOutCredits: sales.paidOutCredits - state.credits };
    const payable = payableCredits(before, (balance?.available ?? 0) + state.credits);
    if (payable < state.credits) throw payableInsufficient(payable, state.credits);
    return saved;
  }

  private async methodOf(userId: PayoutMethod['userId'], id: string | undefined): Promise<PayoutMethod> {
    const method = id ? await this.methods.load(id, { userId }) : await this.methods.defaultOf(userId);
    if (!method) throw id ? payoutMethodNotFound() : noPayoutMethod();
    return method;
  }
}
