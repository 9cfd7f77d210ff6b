const OUTAGE_ERRORS = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoTopologyClosedError',
  'MongoNotConnectedError',
  'MongoPoolClearedError',
  // The monitor saw the server go and broke off what was under way; its name has no prefix.
  'PoolClearedOnNetworkError',
  'MongoWaitQueueTimeoutError',
]);
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
/** Turned away before it began, or after too many collisions: nothing about the work itself. */
const OVERLOADED = /^platform\.transaction\./;
const CAUSES_MAX = 5;

/**
 * Whether an error says that the database is away or overloaded, and not that the work is wrong. Who can wait
 * repeats the work; nothing of it was committed.
 */
export function isOutage(error: unknown): boolean {
  let at = error;
  for (let depth = 0; depth < CAUSES_MAX && isRecord(at); depth++) {
    if (OUTAGE_ERRORS.has(String(at['name'])) || OVERLOADED.test(String(at['code'])) || isBrokenSocket(at))
      return true;
    at = at['cause'];
  }
  return false;
}

/** A connection that broke while a command was on its way: the driver hands this error on as the socket gave it. */
export const isBrokenSocket = (error: unknown): boolean =>
  isRecord(error) &&
  (error['syscall'] === 'read' || error['syscall'] === 'write') &&
  BROKEN.has(String(error['code']));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
