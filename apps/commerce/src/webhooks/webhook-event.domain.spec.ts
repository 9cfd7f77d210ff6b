import { newId } from '@atelier/kernel';
import {
  ATTEMPTS_MAX,
  beginAttempt,
  finishEvent,
  postponeEvent,
  receiveEvent,
} from './webhook-event.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const received = receiveEvent(
  { id: newId('whe'), provider: 'sandbox', payload: '{}', eventId: 'e1', eventType: 'checkout.succeeded' },
  now,
).state;

describe('a webhook event', () => {
  it('is due at once, and while an attempt runs nobody else takes it (R441)', () => {
    expect(received.nextAttemptAt).toEqual(now);
    const begun = beginAttempt(received, 30_000, now).state;
    expect(begun.attempts).toBe(1);
    expect(begun.nextAttemptAt!.getTime() - now.getTime()).toBe(30_000);
  });

  it('is done for good when it is finished', () => {
    const finished = finishEvent(beginAttempt(received, 1, now).state, 'applied', now).state;
    expect(finished).toMatchObject({ result: 'applied', processedAt: now, nextAttemptAt: undefined });
  });

  it('waits longer after every failure and stops after a bounded number, and is kept then', () => {
    let event = received;
    let waitedMs = 0;
    for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt++) {
      event = postponeEvent(beginAttempt(event, 1, now).state, 'the database is away', now).state;
      const waitMs = event.nextAttemptAt!.getTime() - now.getTime();
      expect(waitMs).toBeGreaterThanOrEqual(waitedMs);
      waitedMs = waitMs;
    }
    event = postponeEvent(beginAttempt(event, 1, now).state, 'the database is away', now).state;
    expect(event).toMatchObject({
      result: 'gave_up',
      nextAttemptAt: undefined,
      lastError: 'the database is away',
    });
    expect(event.processedAt).toBeUndefined();
  });
});
