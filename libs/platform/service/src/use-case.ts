import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DomainError, VersionConflict } from '@atelier/kernel';
import { histogram, withSpan } from '@atelier/observability';
import { probes } from './probes.js';

/** A use case runs at most this often when others keep changing the same aggregate. */
const USE_CASE_ATTEMPTS_MAX = 3;
const RERUN_JITTER_MS = 25;

/** Set while a use case runs: what it calls is part of its run, and is not rerun by itself. */
const outermost = new AsyncLocalStorage<true>();

interface Executable {
  execute(...args: never[]): Promise<unknown>;
}

const durations = histogram(
  'atelier_use_case_duration_seconds',
  'How long use cases took, reruns included.',
  ['use_case', 'outcome'],
);

/**
 * Marks the one thing a class does: `execute` runs in a span and is measured under this id
 * (`commerce.buy-listing`), and runs again, up to three times in all, when somebody else changed the aggregate
 * between load and save. Within another use case or a transaction the outer one runs again, as a whole. Makes the
 * class injectable.
 */
export function UseCase(id: string) {
  return <Class extends abstract new (...args: never[]) => Executable>(target: Class): void => {
    const prototype = target.prototype as { execute(...args: unknown[]): Promise<unknown> };
    const execute = Reflect.get<typeof prototype, 'execute'>(prototype, 'execute');
    prototype.execute = function (this: unknown, ...args: unknown[]) {
      return measured(id, () => withSpan(id, {}, () => rerunOnConflict(() => execute.apply(this, args))));
    };
    Injectable()(target);
  };
}

async function rerunOnConflict<T>(run: () => Promise<T>): Promise<T> {
  const isPart = outermost.getStore() ?? probes.isInTransaction();
  if (isPart) return run();
  for (let attempt = 1; ; attempt++) {
    try {
      return await outermost.run(true, run);
    } catch (error) {
      if (!(error instanceof VersionConflict) || attempt >= USE_CASE_ATTEMPTS_MAX) throw error;
      await sleep(Math.random() * RERUN_JITTER_MS * attempt);
    }
  }
}

async function measured<T>(useCase: string, run: () => Promise<T>): Promise<T> {
  const stop = durations.startTimer({ use_case: useCase });
  try {
    const result = await run();
    stop({ outcome: 'done' });
    return result;
  } catch (error) {
    stop({ outcome: error instanceof DomainError ? 'refused' : 'failed' });
    throw error;
  }
}
