import { playStory, type StoryEnd } from '@atelier/story';
import type { Platform } from './platform.js';
import { expectEveryEffectOnce } from './story-end.js';

export function story(platform: () => Platform): void {
  let end: StoryEnd;

  beforeAll(async () => {
    end = await playStory(platform());
  });

  it('ends with the prompt bought, the seller paid and the buyer charged', () => {
    expectEveryEffectOnce(end);
  });

  it('tells every fact of the purchase and of both jobs in one trace, each once', () => {
    const count = (type: string) => end.facts.filter((fact) => fact.type === type).length;
    expect(count('commerce.purchase.completed.v1')).toBe(1);
    expect(count('commerce.payment.succeeded.v1')).toBe(1);
    expect(count('studio.job.finished.v1')).toBe(2);
    // One for the purchase and one for the completed job; the failed job spends nothing.
    expect(count('ledger.credits.spent.v1')).toBe(2);
    expect(count('ledger.credits.held.v1')).toBe(3);
    expect(count('ledger.credits.released.v1')).toBe(1);
  });

  it('leaves books that add up', async () => {
    await expect(platform().verifyLedger()).resolves.toEqual(expect.any(String));
  });
}
