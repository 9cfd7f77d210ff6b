/** Repeat a run with `STRESS_SEED`; the tests name theirs. */
export const SEED = Number(process.env['STRESS_SEED'] ?? Date.now() % 1_000_000);

/** Mulberry32: small, and the same everywhere. Answers whole numbers from 0 on. */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
