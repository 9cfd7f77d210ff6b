import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '@atelier/kernel';

/** What the running piece of work belongs to. The trace is kept apart: it changes with every span. */
interface Work {
  readonly context: Context | undefined;
  readonly traceparent: string | undefined;
}

const work = new AsyncLocalStorage<Work>();

/** Runs `fn`, and everything it awaits, as part of this request or message. */
export function runInContext<T>(context: Context, fn: () => T): T {
  return work.run({ context, traceparent: context.traceparent ?? work.getStore()?.traceparent }, fn);
}

/** The request or message that the running code belongs to; undefined outside of any, as at start. */
export function currentContext(): Context | undefined {
  return work.getStore()?.context;
}

/** For the tracing module: runs `fn` under this trace, within the same context. */
export function runInTrace<T>(traceparent: string, fn: () => T): T {
  return work.run({ context: work.getStore()?.context, traceparent }, fn);
}

export const traceOfWork = (): string | undefined => work.getStore()?.traceparent;
