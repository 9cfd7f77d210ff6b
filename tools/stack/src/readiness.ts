import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 200;
const requestMsMax = 2_000;
const reasonCharsMax = 160;

/** Why an app is not ready, or that it is. */
export type Readiness = { ready: true } | { ready: false; reason: string };

export interface Watched {
  name: string;
  url: string;
  /** True when it will not be started again, so that waiting is useless. */
  isGivenUp: () => boolean;
}

/** Asks one app by its `/health/ready`. */
export async function askReadiness(url: string): Promise<Readiness> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(requestMsMax) });
    const body: unknown = await response.json().catch(() => undefined);
    return response.ok ? { ready: true } : { ready: false, reason: reasonOf(body, response.status) };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return { ready: false, reason: isLate ? `no answer in ${requestMsMax / 1000} s` : 'not listening yet' };
  }
}

/**
 * Waits until all are ready, and tells `onPicture` who is not and why whenever that changes.
 * @throws Error that lists those that are not ready when `msMax` has passed or one was given up; the signal's reason
 * when it is aborted
 */
export async function untilReady(
  watched: readonly Watched[],
  msMax: number,
  onPicture: (waiting: ReadonlyMap<string, string>) => void,
  signal?: AbortSignal,
): Promise<void> {
  const until = Date.now() + msMax;
  let last = '';
  for (;;) {
    const answers = await Promise.all(watched.map(({ url }) => askReadiness(url)));
    signal?.throwIfAborted();
    const waiting = new Map<string, string>();
    answers.forEach((answer, index) => {
      const { name, isGivenUp } = watched[index]!;
      if (!answer.ready) waiting.set(name, isGivenUp() ? 'given up, see its log' : answer.reason);
    });
    if (waiting.size === 0) return;
    const picture = JSON.stringify([...waiting]);
    if (picture !== last) onPicture(waiting);
    last = picture;
    const hasGivenUp = watched.some((one) => waiting.has(one.name) && one.isGivenUp());
    if (hasGivenUp || Date.now() > until) {
      const list = [...waiting].map(([name, reason]) => `  ${name}: ${reason}`).join('\n');
      throw new Error(`Not ready${hasGivenUp ? '' : ` after ${msMax / 1000} s`}:\n${list}`);
    }
    await sleep(pollMs);
  }
}

/** Terminus names what is down under `error`, `details` or `info`; a problem document has `detail`. */
function reasonOf(body: unknown, status: number): string {
  const down: string[] = [];
  const parts = isRecord(body) ? [body['error'], body['details'], body['info']] : [];
  for (const [name, state] of parts.filter(isRecord).flatMap((part) => Object.entries(part))) {
    if (!isRecord(state) || state['status'] === 'up') continue;
    const message = [state['message'], state['reason']].find((text) => typeof text === 'string') ?? 'down';
    const line = `${name}: ${message}`;
    if (!down.includes(line)) down.push(line);
  }
  const detail = isRecord(body) && typeof body['detail'] === 'string' ? body['detail'] : undefined;
  return (down.join(', ') || detail || `HTTP ${status}`).slice(0, reasonCharsMax);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
