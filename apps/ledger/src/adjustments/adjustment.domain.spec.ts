import { newId } from '@atelier/kernel';
import { requestAdjustmentRequest } from '@atelier/contracts/ledger/adjustments.api';
import {
  AdjustmentApproved,
  AdjustmentRejected,
  AdjustmentRequested,
} from '@atelier/contracts/ledger/adjustment.events';
import { approveAdjustment, rejectAdjustment, requestAdjustment } from './adjustment.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const later = new Date('2026-11-21T09:00:00.000Z');
const [userId, asker, other, entryId] = [newId('usr'), newId('usr'), newId('usr'), newId('jrn')];
const request = { userId, amount: -40, reason: 'Granted twice by mistake.', allowNegative: false };
const asked = requestAdjustment({ id: newId('adj'), ...request }, asker, now);
const approve = (by: string) => approveAdjustment(asked.state, { approvedById: by, entryId }, later);
const reject = (by: string) => rejectAdjustment(asked.state, { rejectedById: by, reason: 'Not so.' }, later);

describe('an adjustment', () => {
  it('waits for a second person, and says who asked and why (R542)', () => {
    expect(asked.state).toMatchObject({ status: 'pending', requestedById: asker });
    expect(asked.events).toMatchObject([{ definition: AdjustmentRequested, data: request }]);
  });

  it('is approved by somebody else, with its entry (R542)', () => {
    const { state, events } = approve(other);
    expect(state).toMatchObject({ status: 'approved', decidedById: other, entryId, decidedAt: later });
    expect(events).toMatchObject([{ definition: AdjustmentApproved, data: { approvedById: other } }]);
  });

  it('is approved neither by who asked for it nor by who gets it', () => {
    for (const by of [asker, userId]) {
      expect(() => approve(by)).toThrow(expect.objectContaining({ code: 'ledger.adjustment.same_person' }));
    }
  });

  it('may be rejected by anybody, who asked included, with a reason', () => {
    for (const by of [asker, other]) {
      const { state, events } = reject(by);
      expect(state).toMatchObject({ status: 'rejected', decidedById: by, rejectionReason: 'Not so.' });
      expect(events).toMatchObject([{ definition: AdjustmentRejected }]);
    }
  });

  it('is decided once', () => {
    for (const decided of [approve(other).state, reject(other).state]) {
      const decision = { approvedById: other, entryId };
      expect(() => approveAdjustment(decided, decision, later)).toThrow('already');
      expect(() => rejectAdjustment(decided, { rejectedById: other, reason: 'No.' }, later)).toThrow(
        'already',
      );
    }
  });

  it.each([{ amount: 0 }, { amount: 1.5 }, { amount: 1_000_001 }, { reason: 'short' }, { userId: 'usr_1' }])(
    'cannot be asked for with %j',
    (wrong) => {
      expect(requestAdjustmentRequest.safeParse({ ...request, ...wrong }).success).toBe(false);
    },
  );
});
