import { Clock, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { AccountTurns } from '../accounts/account-turns.js';
import { switchVoucher, voucherNotFound, type Voucher } from './voucher.domain.js';
import { VoucherRepository } from './voucher.repository.js';

/**
 * Turns a voucher off or on again, for admins. One that has expired or is used up stays as it is. Each use changes
 * the voucher too, so this takes its turn among them; who uses it at another replica is waited for by the database.
 *
 * Emits: VoucherUpdated, unless it was so already.
 * Fails with: ledger.voucher.not_found | expired | depleted, ledger.account.busy.
 */
@UseCase('ledger.switch-voucher')
export class SwitchVoucher {
  constructor(
    private readonly database: Database,
    private readonly vouchers: VoucherRepository,
    private readonly turns: AccountTurns,
    private readonly clock: Clock,
  ) {}

  execute(voucherId: Voucher['id'], to: 'active' | 'inactive', context: Context): Promise<Voucher> {
    return this.turns.take([voucherId], () =>
      this.database.transaction(() => this.switch(voucherId, to, context)),
    );
  }

  private async switch(
    voucherId: Voucher['id'],
    to: 'active' | 'inactive',
    context: Context,
  ): Promise<Voucher> {
    const voucher = await this.vouchers.loadAcrossOwners(voucherId, 'moderation');
    if (!voucher) throw voucherNotFound();
    const change = switchVoucher(voucher, to, context.actor.id, this.clock.now());
    return change ? this.vouchers.save(change, context) : voucher;
  }
}
