import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { jobFinished } from '../journal/posting-rules/job-finished.domain.js';
import { SettleHold } from './settle-hold.usecase.js';

@Consumer({ id: 'ledger.on-job-finished', group: 'ledger.journal', consumes: JobFinished })
export class OnJobFinished implements Consumes<typeof JobFinished> {
  constructor(private readonly settleHold: SettleHold) {}

  async handle({ data }: EventOf<typeof JobFinished>, context: Context): Promise<void> {
    const settlement = jobFinished(data);
    if (settlement) await this.settleHold.execute(settlement, context);
  }
}
