import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { switchVoucher, voucherNotFound, type Voucher } from './voucher.domain.js';
import { VoucherRepository } from './voucher.repository.js';

/**
 * Turns a voucher off or on again, for admins. One that has expired or is used up stays as it is.
 *
 * Emits: VoucherUpdated, unless it was so already.
 * Fails with: ledger.voucher.not_found | expired | depleted.
 */
@UseCase('ledger.switch-voucher')
export class SwitchVoucher {
  constructor(
    private readonly vouchers: VoucherRepository,
    private readonly clock: Clock,
  ) {}

  async execute(voucherId: Voucher['id'], to: 'active' | 'inactive', context: Context): Promise<Voucher> {
    const voucher = await this.vouchers.loadAcrossOwners(voucherId, 'moderation');
    if (!voucher) throw voucherNotFound();
    const change = switchVoucher(voucher, to, context.actor.id, this.clock.now());
    return change ? this.vouchers.save(change, context) : voucher;
  }
}
