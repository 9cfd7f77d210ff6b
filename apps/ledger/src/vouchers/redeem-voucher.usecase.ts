import { Clock, idFor, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { AccountTurns } from '../accounts/account-turns.js';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { PostEntry } from '../journal/post-entry.usecase.js';
import { voucherRedeemed } from '../journal/posting-rules/voucher-redeemed.domain.js';
import { alreadyRedeemed, redeem, type Redemption } from './redemption.domain.js';
import { RedemptionRepository } from './redemption.repository.js';
import { statusAt, unusable, voucherNotFound, type Voucher } from './voucher.domain.js';
import { VoucherRepository } from './voucher.repository.js';

/**
 * Uses a voucher for the caller. The use, the redemption and what it grants are in the database together or not
 * at all, so nobody can use a voucher twice, and it is never used more often than it may be.
 *
 * Emits: VoucherRedeemed, and CreditsGranted for fixed credits.
 * Fails with: ledger.voucher.not_found | inactive | expired | depleted | already_redeemed,
 * ledger.account.not_a_user | busy.
 */
@UseCase('ledger.redeem-voucher')
export class RedeemVoucher {
  constructor(
    private readonly database: Database,
    private readonly vouchers: VoucherRepository,
    private readonly redemptions: RedemptionRepository,
    private readonly turns: AccountTurns,
    private readonly postEntry: PostEntry,
    private readonly clock: Clock,
  ) {}

  async execute(code: string, context: Context): Promise<Redemption> {
    const userId = callerOf(context);
    const voucher = await this.vouchers.byCode(code);
    if (!voucher) throw voucherNotFound();
    return this.turns.take([voucher.id, userId], () =>
      this.database.transaction(() => this.redeem(voucher, userId, context)),
    );
  }

  private async redeem(
    voucher: Voucher,
    userId: Redemption['userId'],
    context: Context,
  ): Promise<Redemption> {
    const now = this.clock.now();
    const id = idFor(context, 'vrd');
    const redeemed = await this.redemptions.ofVoucher(voucher.id, userId);
    // Its own id: the first run of this very request got through and died before it could answer.
    if (redeemed?.id === id) return redeemed;
    if (redeemed) throw alreadyRedeemed(voucher.code);
    const used = await this.vouchers.takeUse(voucher.id, now);
    if (!used) {
      const current = (await this.vouchers.byCode(voucher.code)) ?? voucher;
      throw unusable({ ...current, status: statusAt(current, now) });
    }
    const { state, events } = redeem(used, { id, userId }, now);
    const draft = voucherRedeemed(state);
    const entry = draft ? await this.postEntry.execute(draft, context) : undefined;
    return this.redemptions.save(
      { state: { ...state, ...(entry ? { entryId: entry.id } : {}) }, events },
      context,
    );
  }
}
