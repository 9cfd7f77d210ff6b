import { Clock } from '@atelier/kernel';
import type { PageRequest } from '@atelier/persistence';
import { UseCase, type Page } from '@atelier/service';
import { statusAt, voucherNotFound, type Voucher, type VoucherStatus } from './voucher.domain.js';
import { VoucherRepository } from './voucher.repository.js';

/**
 * Vouchers for admins, each with the status that counts now. The filter goes by the stored status, which follows
 * an expiry within one sweep.
 *
 * Fails with: ledger.voucher.not_found, platform.cursor.invalid.
 */
@UseCase('ledger.read-vouchers')
export class ReadVouchers {
  constructor(
    private readonly vouchers: VoucherRepository,
    private readonly clock: Clock,
  ) {}

  async execute(status: VoucherStatus | undefined, page: PageRequest<Voucher>): Promise<Page<Voucher>> {
    const { items, nextCursor } = await this.vouchers.list(status, page);
    return { items: items.map((voucher) => this.asOfNow(voucher)), nextCursor };
  }

  async one(voucherId: Voucher['id']): Promise<Voucher> {
    const voucher = await this.vouchers.loadAcrossOwners(voucherId, 'moderation');
    if (!voucher) throw voucherNotFound();
    return this.asOfNow(voucher);
  }

  private asOfNow(voucher: Voucher): Voucher {
    return { ...voucher, status: statusAt(voucher, this.clock.now()) };
  }
}
