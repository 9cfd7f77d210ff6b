import type { JobFinished } from '@atelier/contracts/studio/job.events';
import { creditsText, IN_APP, IN_APP_AND_EMAIL, type News } from './news.domain.js';

type Data = (typeof JobFinished)['example'];

/** A visitor's job has nobody to tell. Its owner canceled a canceled job, so that is only confirmed. */
export function jobFinished(data: Data): News[] {
  if (data.userId === null) return [];
  const shared = {
    recipientId: data.userId,
    category: 'product',
    actionText: 'See the job',
    actionUrl: `/api/v1/jobs/${data.jobId}`,
  } as const;
  const creditsBack =
    data.costCredits > 0 ? ` Your ${creditsText(data.costCredits)} are available again.` : '';
  const why = data.reasonText ?? 'The job could not be finished. Nothing was charged.';
  switch (data.outcome) {
    case 'completed':
      return [
        {
          ...shared,
          template: 'job_completed',
          type: 'success',
          priority: 'normal',
          title: `“${data.title}” is ready`,
          message: `Your job is done. It cost ${creditsText(data.chargedCredits)}.`,
          channels: IN_APP,
        },
      ];
    case 'failed':
      return [
        {
          ...shared,
          template: 'job_failed',
          type: 'error',
          priority: 'high',
          title: `“${data.title}” failed`,
          message: `${why}${creditsBack}`,
          channels: IN_APP_AND_EMAIL,
        },
      ];
    case 'canceled':
      return [
        {
          ...shared,
          template: 'job_canceled',
          type: 'info',
          priority: 'low',
          title: `“${data.title}” was canceled`,
          message: `Nothing was charged.${creditsBack}`,
          channels: IN_APP,
        },
      ];
  }
}
