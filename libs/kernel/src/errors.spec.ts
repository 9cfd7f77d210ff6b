import { DomainError, ERROR_STATUS, VersionConflict, type ErrorKind } from './errors.js';

describe('a refusal', () => {
  it.each(Object.entries(ERROR_STATUS))('of the kind %s is status %i on the wire', (kind, status) => {
    const error = new DomainError({ kind: kind as ErrorKind, code: 'app.noun.reason', detail: 'Why.' });
    expect(error.status).toBe(status);
  });

  it('keeps what the caller is told, and its cause for the log', () => {
    const cause = new Error('deeper');
    const error = new DomainError({
      kind: 'payment_required',
      code: 'ledger.credits.insufficient',
      detail: 'You need 5 more credits.',
      extra: { available: 1, required: 6 },
      retryAfterSeconds: 2,
      cause,
    });
    expect(error).toMatchObject({
      name: 'DomainError',
      message: 'You need 5 more credits.',
      code: 'ledger.credits.insufficient',
      extra: { available: 1, required: 6 },
      retryAfterSeconds: 2,
      cause,
    });
  });

  it('of a change on old ground says what was changed and what to do', () => {
    const conflict = new VersionConflict('listings', 'lst_1');
    expect(conflict).toBeInstanceOf(DomainError);
    expect(conflict).toMatchObject({ status: 409, code: 'platform.version.conflict' });
    expect(conflict.message).toMatch(/listings lst_1 .* Read it again/);
  });
});
