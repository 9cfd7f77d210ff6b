import type { StoryEnd } from '@atelier/story';

/** What a new account has. */
const START_CREDITS = 50;
const PACKAGE_CREDITS = 550;
const PRICE_CREDITS = 100;
const FEE_CREDITS = 20;
/** Of the job that was completed; the one that failed cost nothing. */
const JOB_CREDITS = 2;

/** The end of the story in numbers: whatever happened on the way, nobody has a credit more or less. */
export function expectEveryEffectOnce(end: StoryEnd): void {
  expect(end).toMatchObject({
    purchase: { priceCredits: PRICE_CREDITS, sellerEarningsCredits: PRICE_CREDITS - FEE_CREDITS },
    seller: { salesCount: 1, available: START_CREDITS + PRICE_CREDITS - FEE_CREDITS },
    buyer: { available: START_CREDITS + PACKAGE_CREDITS - PRICE_CREDITS - JOB_CREDITS },
  });
}
