/**
 * The seed of this run's random draws, from 0 to 999999 unless it is given. Tests that draw name it in their title;
 * the environment variable `STRESS_SEED` repeats their draws.
 */
export const STRESS_SEED = Number(process.env['STRESS_SEED'] ?? Date.now() % 1_000_000);

/**
 * Random whole numbers that a seed repeats: each call answers one from 0 to below its argument. Mulberry32: small,
 * and the same everywhere; for tests, never for secrets.
 */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
