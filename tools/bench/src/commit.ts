import { execFileSync } from 'node:child_process';
import { root } from '@atelier/stack/checkout';

/** Where results are saved, from the root. */
export const RESULTS = 'docs/benchmarks';

/** The commit that is checked out, with a + when the tree differs from it. */
export function commitNow(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root }).toString().trim();
  const commit = git('rev-parse', '--short', 'HEAD');
  // Results of benches before this one are no change of what is measured.
  const isDirty = git('status', '--porcelain', '--', '.', `:!${RESULTS}`) !== '';
  return isDirty ? `${commit}+` : commit;
}

/**
 * What was measured, and of which commit: the one at the start. A bench takes minutes, and what is committed
 * meanwhile is not what was started.
 */
export async function withCommit<Report>(
  bench: () => Promise<Report>,
  now: () => string = commitNow,
): Promise<Report & { readonly commit: string }> {
  const commit = now();
  return { ...(await bench()), commit };
}
