import { Clock, idFor, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { CreateVoucherRequest } from '@atelier/contracts/ledger/vouchers.api';
import { createVoucher, type Voucher } from './voucher.domain.js';
import { VoucherRepository } from './voucher.repository.js';

/**
 * Makes a voucher, for admins.
 *
 * Emits: VoucherCreated.
 * Fails with: ledger.voucher.code_taken, ledger.voucher.already_over.
 */
@UseCase('ledger.create-voucher')
export class CreateVoucher {
  constructor(
    private readonly vouchers: VoucherRepository,
    private readonly clock: Clock,
  ) {}

  async execute(request: CreateVoucherRequest, context: Context): Promise<Voucher> {
    const id = idFor(context, 'vch');
    const change = createVoucher({ id, ...request }, context.actor.id, this.clock.now());
    return this.vouchers.save(change, context);
  }
}
