import { JobFinished } from '@atelier/contracts/studio/job.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { NotifyPeople } from '../notifications/notify-people.usecase.js';
import { jobFinished } from '../templates/job-finished.domain.js';

/** The owner of a job learns how it ended. */
@Consumer({ id: 'notifications.on-job-finished', group: 'notifications.inbox', consumes: JobFinished })
export class OnJobFinished implements Consumes<typeof JobFinished> {
  constructor(private readonly notifyPeople: NotifyPeople) {}

  handle(event: EventOf<typeof JobFinished>, context: Context): Promise<void> {
    return this.notifyPeople.execute(event, jobFinished(event.data), context);
  }
}
