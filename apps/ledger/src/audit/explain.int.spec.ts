import { Clock } from '@atelier/kernel';
import { aService, aUser, startService, type ServiceUnderTest } from '@atelier/testing';
import { StatementRepository } from '../accounts/statement.repository.js';
import { HoldExpiry } from '../holds/hold-expiry.job.js';
import { HoldRepository } from '../holds/hold.repository.js';
import { JournalRepository } from '../journal/journal.repository.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { holdFor, jobEnded, paid } from '../promises/facts.fixture.js';
import { Explain } from './explain.usecase.js';

let time = new Date('2026-11-21T08:00:00.000Z');
let ledger: ServiceUnderTest;
beforeAll(async () => {
  const clock = { provide: Clock, useValue: { now: () => time } };
  const env = { HOLD_SWEEP_INTERVAL_MS: '600000' };
  ledger = await startService(LedgerModule, ledgerConfig, env, { overrides: [clock] });
});
afterAll(() => ledger.close());

const TTL_SECONDS = 60;
const pass = (seconds: number) => (time = new Date(time.getTime() + seconds * 1000));
async function holdThatExpired() {
  const user = aUser();
  const hold = holdFor('job', user.id, 10, TTL_SECONDS);
  await ledger.publish(paid(user.id, 100));
  expect((await ledger.as(aService('studio')).post('/internal/holds', hold)).status).toBe(201);
  pass(TTL_SECONDS);
  await ledger.app.get(HoldExpiry, { strict: false }).sweep();
  return hold;
}
async function storyOf(id: string) {
  const [journal, holds, statements] = [JournalRepository, HoldRepository, StatementRepository].map((part) =>
    ledger.app.get<never>(part, { strict: false }),
  );
  const steps = await new Explain(journal!, holds!, statements!).execute(id);
  return steps.map(
    ({ at, what, amount, note }) => `${at.toISOString().slice(11, 19)} ${what} ${amount}: ${note}`,
  );
}

describe('the story of a hold', () => {
  it('that expired tells when', async () => {
    const { holdId } = await holdThatExpired();
    expect(await storyOf(holdId)).toEqual([
      '08:00:00 held 10: until 2026-11-21T08:01:00.000Z',
      '08:01:00 expired 0: 10 given back',
    ]);
  });

  it('that was captured late tells of its expiry and of the capture', async () => {
    const hold = await holdThatExpired();
    pass(TTL_SECONDS);
    await ledger.redeliver(jobEnded(hold, 7));
    expect(await storyOf(hold.holdId)).toEqual([
      '08:01:00 held 10: until 2026-11-21T08:02:00.000Z',
      '08:02:00 expired 0: 10 given back',
      '08:03:00 captured 7: 7 of 10 (late)',
      `08:03:00 spend_enhancement -7: job_finished:${hold.sourceId}`,
      `08:03:00 platform 7: job_finished:${hold.sourceId}`,
    ]);
  });
});
