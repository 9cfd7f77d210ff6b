import { DomainError } from '@atelier/kernel';
import { isOutage } from './outage.js';

const named = (name: string) => Object.assign(new Error('x'), { name });
const refusal = (code: string, cause?: unknown) =>
  new DomainError({ kind: 'unavailable', code, detail: 'x', cause });

describe('an outage', () => {
  it.each([
    ['an error of the driver about the way to the server', named('MongoServerSelectionError')],
    ['a query that the monitor broke off when the server went', named('PoolClearedOnNetworkError')],
    ['a socket that broke', Object.assign(new Error('x'), { code: 'ECONNRESET', syscall: 'write' })],
    ['a transaction that never got its turn', refusal('platform.transaction.queue_full')],
    ['an error that one of these caused', refusal('ledger.account.busy', named('MongoNetworkError'))],
  ])('is %s', (_what, error) => {
    expect(isOutage(error)).toBe(true);
  });

  it.each([
    ['a refusal of the domain', refusal('ledger.account.frozen')],
    ['a fault of the code', new TypeError('x')],
    [
      'another service that does not listen',
      Object.assign(new Error('x'), { code: 'ECONNREFUSED', syscall: 'connect' }),
    ],
    ['a document that the server refuses', named('MongoServerError')],
    ['no error at all', undefined],
  ])('is not %s', (_what, error) => {
    expect(isOutage(error)).toBe(false);
  });
});
