/**
 * One Ctrl-C may come twice, by the terminal and by npm, a millisecond apart. Within this time a signal is the same one
 * again, and later it is the wish to end at once.
 */
const sameSignalMs = 1_000;
/** Any pause does: the timer is there so that the process stays, also when it has no child and no connection. */
const stayMs = 3_600_000;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. A second one ends this process at once; its children
 * notice that it is gone and end too.
 */
export function untilStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const stay = setInterval(() => undefined, stayMs);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (askedAt !== undefined && performance.now() - askedAt > sameSignalMs) process.exit(130);
        askedAt ??= performance.now();
        clearInterval(stay);
        resolve(name);
      });
    }
  });
}
