import { DomainError } from '@atelier/kernel';
import type { CreditTransactionType } from '@atelier/contracts/ledger/credits.events';
import type { JOB_KINDS, JobFinished } from '@atelier/contracts/studio/job.events';
import { userAccount } from '../entry.domain.js';
import type { Settlement } from '../../holds/hold.domain.js';

const SPEND_TYPES: Record<(typeof JOB_KINDS)[number], CreditTransactionType> = {
  image_enhancement: 'spend_enhancement',
  mcp_generation: 'spend_mcp_generation',
  box_action: 'spend_box_usage',
  agent_task: 'spend_box_usage',
};

/**
 * A job that was charged: user → revenue. Every other one gives its hold back. Null when it had placed none. Throws
 * unprocessable `ledger.job.charged_unfinished`: credits are captured only for what was completed.
 */
export function jobFinished(job: typeof JobFinished.example): Settlement | null {
  const { jobId, kind, userId, holdId, outcome, chargedCredits } = job;
  if (!holdId || !userId) return null;
  if (chargedCredits === 0) {
    const reason = outcome === 'completed' ? 'partly_captured' : outcome;
    return { holdId, end: 'release', reason, mayBeMissing: true };
  }
  if (outcome !== 'completed') throw chargedUnfinished(jobId, outcome, chargedCredits);
  return {
    holdId,
    end: 'capture',
    entry: {
      causeId: `job_finished:${jobId}`,
      sourceId: jobId,
      postings: [
        { account: userAccount(userId), asset: 'credits', amount: -chargedCredits, type: SPEND_TYPES[kind] },
        { account: 'platform:revenue', asset: 'credits', amount: chargedCredits },
      ],
    },
  };
}

const chargedUnfinished = (jobId: string, outcome: string, credits: number) =>
  new DomainError({
    kind: 'unprocessable',
    code: 'ledger.job.charged_unfinished',
    detail: `${jobId} is ${outcome} and charges ${credits} credits. Nothing was taken; look at how studio ended it.`,
  });
