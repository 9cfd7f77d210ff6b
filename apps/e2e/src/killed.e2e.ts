import { setTimeout as sleep } from 'node:timers/promises';
import { playStory, type StoryEnd } from '@atelier/story';
import { seeded, STRESS_SEED } from '@atelier/testing';
import type { Platform } from './platform.js';
import { expectEveryEffectOnce } from './story-end.js';

/**
 * Where in the story each victim dies: one seed gives one run, another STRESS_SEED another moment. Shorter than any of
 * the steps below, so that the victim dies at work.
 */
const KILL_WITHIN_MS = 150;

export function killed(platform: () => Platform): void {
  const pick = seeded(STRESS_SEED);

  /** Plays the story, and kills the victim once in one of the steps where it has work. */
  async function playAndKill(steps: readonly number[], kill: () => Promise<void>): Promise<StoryEnd> {
    const at = steps[pick(steps.length)]!;
    const afterMs = pick(KILL_WITHIN_MS);
    let step = 0;
    let death: Promise<void> | undefined;
    let isOver = false;
    let diedInTime = false;
    const die = async () => {
      await sleep(afterMs);
      diedInTime = !isOver;
      await kill();
    };
    try {
      const end = await playStory({
        ...platform(),
        onStep: () => {
          if (++step === at) death = die();
        },
      });
      isOver = true;
      expect(diedInTime).toBe(true);
      return end;
    } finally {
      await death;
    }
  }

  function expectEverythingOnce(end: StoryEnd): void {
    // A fact may be on its topic twice after a crash; an effect may not: the books and balances tell.
    expectEveryEffectOnce(end);
    const kinds = new Set(end.facts.map(({ type }) => type));
    for (const type of [
      'commerce.purchase.completed.v1',
      'commerce.payment.succeeded.v1',
      'studio.job.finished.v1',
    ]) {
      expect(kinds).toContain(type);
    }
  }

  it.each([
    ['commerce', [3, 4, 5] as const],
    ['ledger', [4, 5, 7, 8] as const],
    ['studio', [7, 8] as const],
  ])('kill -9 of %s loses no fact and applies none twice', async (app, steps) => {
    const end = await playAndKill(steps, async () => {
      await platform().kill(app);
      await platform().restart(app);
    });
    expectEverythingOnce(end);
    await platform().verifyLedger();
  });

  it('kill -9 of Kafka loses no fact and applies none twice', async () => {
    const end = await playAndKill([3, 4, 5, 7], async () => {
      await platform().killKafka();
      await platform().restartKafka();
    });
    expectEverythingOnce(end);
    await platform().verifyLedger();
  });
}
