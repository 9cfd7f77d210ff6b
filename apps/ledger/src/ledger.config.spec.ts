import { ledgerConfig } from './ledger.config.js';

const REQUIRED = {
  PORT: '0',
  ACTOR_SECRET: 'a-secret-of-the-tests-that-signs-actors',
  MONGODB_URI: 'mongodb://127.0.0.1',
  KAFKA_BROKERS: 'memory',
};

describe('the environment of the ledger', () => {
  it('has values that fit when nothing more is said', () => {
    expect(ledgerConfig.load(REQUIRED)).toMatchObject({ HOLD_TTL_SECONDS: 900 });
  });

  it.each([
    [{ HOLD_TTL_SECONDS: '900', HOLD_TTL_SECONDS_MAX: '60' }, 'HOLD_TTL_SECONDS is invalid'],
    [{ PAYOUT_CREDITS_MIN: '5', PAYOUT_CREDITS_MAX: '4' }, 'PAYOUT_CREDITS_MIN is invalid'],
    [{ PAYOUT_LEASE_MS: '20000', PAYOUT_PROVIDER_TIMEOUT_MS: '20000' }, 'PAYOUT_LEASE_MS is invalid'],
    [{ PAYOUT_MINOR_UNITS_PER_CREDIT: 'USD:3,USD:4' }, 'names a currency twice'],
  ])('is refused by name when %j does not fit', (values, problem) => {
    expect(() => ledgerConfig.load({ ...REQUIRED, ...values })).toThrow(problem);
  });
});
