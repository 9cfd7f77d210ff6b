const firstPauseMs = 500;
const pauseMsMax = 15_000;

/** Restarts in a row before a child is given up. */
export const restartsMax = 8;

/** A child that lived this long was well: its earlier failures no longer count. */
export const stableMs = 30_000;

/** The pause before restart number `failures` (from 0): doubled each time, up to a bound. */
export function backOffMs(failures: number): number {
  return Math.min(pauseMsMax, firstPauseMs * 2 ** failures);
}
