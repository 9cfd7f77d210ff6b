import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { UserDeleted } from '@atelier/contracts/identity/user.events';
import { EraseAccount } from './erase-account.usecase.js';
import { ForgetReferralData } from './forget-referral-data.usecase.js';

@Consumer({ id: 'ledger.on-user-deleted', group: 'ledger.erasure', consumes: UserDeleted })
export class OnUserDeleted implements Consumes<typeof UserDeleted> {
  constructor(private readonly eraseAccount: EraseAccount) {}

  async handle({ data }: EventOf<typeof UserDeleted>): Promise<void> {
    await this.eraseAccount.execute(data);
  }
}

/** In the group that writes down registrations: a partition is one queue there, so none comes after its deletion. */
@Consumer({ id: 'ledger.on-user-deleted-referral', group: 'ledger.referrals', consumes: UserDeleted })
export class OnReferralPersonDeleted implements Consumes<typeof UserDeleted> {
  constructor(private readonly forgetReferralData: ForgetReferralData) {}

  async handle({ data }: EventOf<typeof UserDeleted>): Promise<void> {
    await this.forgetReferralData.execute(data.userId);
  }
}
