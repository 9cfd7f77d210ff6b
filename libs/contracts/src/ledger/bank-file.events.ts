import { z } from 'zod';
import { defineEvent, idSchema } from '@atelier/kernel';

const bankFileId = 'bkf_01m7y1j20qe008c1f3vesc43m3' as const;
const admin = 'usr_01m7y1j20qe008c1f3vesc43m4';

export const BankFileCreated = defineEvent({
  type: 'ledger.bank_file.created.v1',
  summary: 'An admin took transfers out of the queue, to carry them to the bank.',
  data: z.object({ bankFileId: idSchema('bkf'), transfers: z.int().min(1), createdBy: z.string() }),
  example: { bankFileId, transfers: 12, createdBy: admin },
});

export const BankFileConfirmed = defineEvent({
  type: 'ledger.bank_file.confirmed.v1',
  summary: 'An admin wrote down what the bank said of one transfer.',
  data: z.object({
    bankFileId: idSchema('bkf'),
    /** The payout, or the payout method that is being verified. */
    transferId: z.string(),
    outcome: z.enum(['paid', 'failed']),
    reason: z.string().nullable(),
    confirmedBy: z.string(),
  }),
  example: {
    bankFileId,
    transferId: 'pyo_01m7y1j20qe008c1f3vesc43m3',
    outcome: 'paid',
    reason: null,
    confirmedBy: admin,
  },
});
