import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

/**
 * kafkajs 2.2.4 arms a timer after every answer to look for requests that wait, also when none does and nothing
 * throttles: with a time in the past, so each idle connection of each client wakes its process a thousand times a
 * second. Here it is armed only when there is something to look for; a request that has to wait arms it itself.
 */
export function quietIdleConnections(): void {
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/network/requestQueue/index.js') as { prototype: RequestQueue };
  const schedule = Reflect.get<RequestQueue, 'scheduleCheckPendingRequests'>(
    prototype,
    'scheduleCheckPendingRequests',
  );
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
