import { DomainError, newId } from '@atelier/kernel';
import {
  addPayoutMethod,
  assertAccount,
  assertActive,
  checkCode,
  disablePayoutMethod,
  setDefault,
  statusAt,
  type PayoutMethod,
} from './payout-method.domain.js';

const now = new Date('2026-11-21T08:00:00Z');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const bank = { type: 'bank_account', holderName: 'Ada', iban: 'DE89370400440532013000' } as const;
const added = (account: Parameters<typeof addPayoutMethod>[0]['account'] = bank): PayoutMethod =>
  addPayoutMethod(
    {
      ...{ id: newId('pym'), userId: newId('usr'), provider: 'sandbox', providerAccountId: 'sbx_1' },
      ...{ account, isDefault: false },
    },
    now,
  ).state;
const verified = () => checkCode(added(), true, 5, now).state;

describe('a payout method', () => {
  it.each([
    [bank, '•••• 3000'],
    [{ type: 'paypal', email: 'ada@example.com' }, 'a•••@example.com'],
    [{ type: 'stripe_express', accountId: 'acct_1A2b3C4d' }, 'acct_•••• 3C4d'],
  ] as const)('is of one of three types, and shows little of its account (R43): %j', (account, display) => {
    const method = added(account);
    expect(method).toMatchObject({ type: account.type, display });
    expect(JSON.stringify(method)).not.toContain(Object.values(account)[1]);
  });

  it('goes from pending to verified and, after the wait, to active (R44)', () => {
    expect(statusAt(added(), 60, later(600))).toBe('pending');
    expect(verified()).toMatchObject({ status: 'verified', verifiedAt: now });
    expect(statusAt(verified(), 60, later(59))).toBe('verified');
    expect(statusAt(verified(), 60, later(60))).toBe('active');
  });

  it('is disabled for good, from every state, and is no default then (R44)', () => {
    const method = setDefault(verified(), true).state;
    const disabled = disablePayoutMethod(method, now).state;
    expect(disabled).toMatchObject({ status: 'disabled', isDefault: false, disabledAt: now });
    expect(disablePayoutMethod(disabled, later(1)).state).toBe(disabled);
    expect(() => setDefault(disabled, true)).toThrow(DomainError);
    expect(() => checkCode(disabled, true, 5, now)).toThrow(DomainError);
    expect(statusAt(disabled, 60, later(600))).toBe('disabled');
  });

  it('is disabled by too many wrong codes', () => {
    let method = added();
    for (let count = 1; count <= 4; count++) method = checkCode(method, false, 5, now).state;
    expect(method).toMatchObject({ status: 'pending', wrongCodes: 4 });
    expect(checkCode(method, false, 5, now).state.status).toBe('disabled');
  });

  it('may be paid to only when it is active', () => {
    const code = (method: PayoutMethod, at: Date) => {
      try {
        assertActive(method, 60, at);
        return 'yes';
      } catch (error) {
        return (error as DomainError).code;
      }
    };
    expect(code(added(), now)).toBe('ledger.payout_method.not_active');
    expect(code(verified(), later(59))).toBe('ledger.payout_method.not_active');
    expect(code(verified(), later(60))).toBe('yes');
  });

  it.each(['DE89370400440532013000', 'GB29NWBK60161331926819', 'NO9386011117947'])('takes %s', (iban) => {
    expect(() => assertAccount({ ...bank, iban })).not.toThrow();
  });

  it.each(['DE89370400440532013001', 'DE98370400440532013000', 'GB29NWBK60161331926891'])(
    'refuses %s, whose check digits do not fit',
    (iban) => {
      expect(() => assertAccount({ ...bank, iban })).toThrow(
        expect.objectContaining({ code: 'ledger.payout_method.iban' }),
      );
    },
  );
});
