import type { Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { ErasureRepository } from './erasure.repository.js';

/**
 * Removes a deleted person's address hash and own referral code (R482, R483). Who brought whom stays, and a referral
 * that is still pending is paid for as it would have been.
 *
 * Emits: nothing
 */
@UseCase('ledger.forget-referral-data')
export class ForgetReferralData {
  constructor(private readonly erasure: ErasureRepository) {}

  execute(userId: Id<'usr'>): Promise<void> {
    return this.erasure.forgetReferralData(userId);
  }
}
