import { UserDeleted, UserRegistered, UserUpdated } from '@atelier/contracts/identity/user.events';
import { newId } from '@atelier/kernel';
import { assertMaySignIn, deleteUser, registerUser, updateProfile, type User } from './user.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const later = new Date('2026-11-21T09:00:00.000Z');
const input = {
  id: newId('usr'),
  email: 'ada@example.org',
  displayName: 'Ada',
  passwordHash: '$2b$12$hash',
  role: 'user',
} as const;
const registered = (): User => ({ ...registerUser(input, now).state, version: 1 });

describe('registering', () => {
  it('begins as an active user with an unconfirmed address and no referrals (R143, R147, R206)', () => {
    expect(registered()).toMatchObject({
      accountStatus: 'active',
      role: 'user',
      authMethod: 'password',
      referralCount: 0,
      createdAt: now,
    });
    expect(registered().emailVerifiedAt).toBeUndefined();
  });

  it('wants e-mail and product news, and no text messages, until told otherwise (R145)', () => {
    const { email, sms } = registered().preferences.notifications;
    expect(email).toEqual({ marketing: true, product: true, security: true, billing: true });
    expect(Object.values(sms)).not.toContain(true);
  });

  it('states the fact without the password, and with the referral when there is one', () => {
    const { events } = registerUser({ ...input, referralCode: 'FRIEND', ipAddressHash: 'hash' }, now);
    expect(events.map(({ definition }) => definition.type)).toEqual([UserRegistered.type]);
    expect(events[0]!.data).toEqual({
      userId: input.id,
      email: input.email,
      displayName: 'Ada',
      role: 'user',
      accountStatus: 'active',
      registeredAt: now.toISOString(),
      ownReferralCode: registered().referralCode,
      referralCode: 'FRIEND',
      ipAddressHash: 'hash',
    });
    expect(JSON.stringify(events)).not.toContain(input.passwordHash);
  });
});

describe('changing a profile', () => {
  it('keeps what is left out, at every depth', () => {
    const user = registered();
    const { state } = updateProfile(
      user,
      { preferences: { theme: 'dark', notifications: { email: { marketing: false } } } },
      later,
    );
    expect(state.preferences).toEqual({
      ...user.preferences,
      theme: 'dark',
      notifications: {
        ...user.preferences.notifications,
        email: { ...user.preferences.notifications.email, marketing: false },
      },
    });
    expect(state.displayName).toBe('Ada');
    expect(state.updatedAt).toEqual(later);
  });

  it('states a fact when the name changed, and none for preferences, which concern nobody else', () => {
    expect(updateProfile(registered(), { preferences: { theme: 'dark' } }, later).events).toEqual([]);
    const { events } = updateProfile(registered(), { displayName: 'Ada Lovelace' }, later);
    expect(events.map(({ definition }) => definition.type)).toEqual([UserUpdated.type]);
    expect(events[0]!.data).toMatchObject({ userId: input.id, displayName: 'Ada Lovelace' });
  });
});

describe('an account that is not active', () => {
  it.each(['pending', 'suspended'] as const)('may not sign in while %s', (accountStatus) => {
    expect(() => assertMaySignIn({ ...registered(), accountStatus })).toThrow(
      expect.objectContaining({ code: `identity.user.${accountStatus}`, kind: 'forbidden' }),
    );
  });
});

describe('deleting', () => {
  const admin = newId('usr');

  it('keeps the id and when and by whom, and nothing that tells who it was', () => {
    const { state, events } = deleteUser({ ...registered(), profile: { bio: 'A poet' } }, admin, later);
    expect(state).toMatchObject({ id: input.id, version: 1, accountStatus: 'deleted', createdAt: now });
    expect(state).toMatchObject({ deletedAt: later, deletedBy: admin });
    const text = JSON.stringify([state, events.map(({ data }) => data)]);
    for (const personal of [input.email, input.displayName, input.passwordHash, 'A poet']) {
      expect(text).not.toContain(`"${personal}"`);
    }
    expect(events.map(({ definition }) => definition.type)).toEqual([UserUpdated.type, UserDeleted.type]);
  });

  it('happens once', () => {
    const deleted = deleteUser(registered(), admin, later).state;
    expect(deleteUser(deleted, input.id, new Date())).toEqual({ state: deleted, events: [] });
  });
});
