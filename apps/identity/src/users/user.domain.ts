import type { Preferences, UpdateProfileRequest } from '@atelier/contracts/identity/users.api';
import {
  type ACCOUNT_STATUSES,
  UserDeleted,
  UserRegistered,
  UserUpdated,
} from '@atelier/contracts/identity/user.events';
import {
  type Actor,
  type Change,
  DomainError,
  type Id,
  PLATFORM_ROLES,
  type PlatformRole,
} from '@atelier/kernel';

export type UserId = Id<'usr'>;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** A person's account. One row whatever they sign in with; the optional fields belong to later features. */
export interface User {
  readonly id: UserId;
  readonly version: number;
  /** Trimmed, lower-cased, unique when present (R141, R210). */
  readonly email?: string;
  /** When the address was confirmed; absent means not yet (R143, R212). */
  readonly emailVerifiedAt?: Date;
  /** Empty on a tombstone. */
  readonly displayName: string;
  readonly photoUrl?: string;
  readonly phoneNumber?: string;
  readonly accountStatus: AccountStatus;
  readonly role: PlatformRole;
  readonly authMethod: 'password' | 'passwordless';
  /** bcrypt; absent for people who sign in without a password (R142, R213). */
  readonly passwordHash?: string;
  readonly preferences: Preferences;
  readonly profile?: UserProfile;
  readonly stats?: Readonly<Record<string, number>>;
  readonly partnership?: {
    readonly isPartner: boolean;
    readonly partnerTier?: string;
    readonly applicationStatus: 'none' | 'pending' | 'approved';
  };
  readonly security: UserSecurity;
  /** The code that this person gives to others, and who gave theirs (R209). */
  readonly referralCode?: string;
  readonly referredById?: UserId;
  readonly referralCount: number;
  readonly firebaseUid?: string;
  readonly clerkId?: string;
  readonly stripeCustomerId?: string;
  /** How often this person has signed in, and when last (R15). */
  readonly loginSeq: number;
  readonly lastLoginAt?: Date;
  readonly lastActiveAt?: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt?: Date;
  readonly deletedBy?: string;
}

const REFERRAL_CODE_CHARS = 10;

/** R144: a bio has at most 500 characters. */
export const BIO_CHARS_MAX = 500;
export interface UserProfile {
  readonly bio?: string;
  readonly website?: string;
  readonly location?: string;
  readonly company?: string;
  readonly jobTitle?: string;
  readonly profession?: string;
  readonly expertise?: string;
  readonly socialLinks?: { readonly linkedin?: string; readonly twitter?: string; readonly github?: string };
}

export interface UserSecurity {
  readonly twoFactorEnabled: boolean;
  readonly twoFactorSecret?: string;
  readonly pendingTwoFactorSecret?: string;
  readonly backupCodeHashes?: readonly string[];
  readonly pendingBackupCodeHashes?: readonly string[];
  readonly lastPasswordChangeAt?: Date;
  readonly suspiciousActivityDetectedAt?: Date;
  readonly gdprConsentAt?: Date;
  readonly dataRetentionUntil?: Date;
}

const all = (wanted: boolean) => ({ marketing: wanted, product: wanted, security: wanted, billing: wanted });

/** R145: e-mail on, marketing and product news included; text messages off. */
export const DEFAULT_PREFERENCES: Preferences = {
  theme: 'system',
  language: 'en',
  timezone: 'UTC',
  notifications: { inApp: all(true), email: all(true), sms: all(false), webhook: all(false) },
  privacy: { discoverable: true, showProfile: true },
};

export interface Registration {
  readonly id: UserId;
  readonly email: string;
  readonly displayName: string;
  readonly passwordHash: string;
  readonly role: PlatformRole;
  readonly referralCode?: string | undefined;
  readonly ipAddressHash?: string | undefined;
}

/** A new person with e-mail and password: role `user` unless the platform itself says otherwise (R206). */
export function registerUser(input: Registration, now: Date): Change<User> {
  const { id, email, displayName, passwordHash, role, referralCode, ipAddressHash } = input;
  const ownReferralCode = referralCodeOf(id);
  const state: User = {
    id,
    version: 0,
    email,
    displayName,
    accountStatus: 'active',
    role,
    authMethod: 'password',
    passwordHash,
    preferences: DEFAULT_PREFERENCES,
    security: { twoFactorEnabled: false, lastPasswordChangeAt: now },
    referralCode: ownReferralCode,
    referralCount: 0,
    loginSeq: 0,
    createdAt: now,
    updatedAt: now,
  };
  const fact = UserRegistered(id, {
    ...factOf(state),
    registeredAt: now.toISOString(),
    ownReferralCode,
    ...(referralCode === undefined ? {} : { referralCode }),
    ...(ipAddressHash === undefined ? {} : { ipAddressHash }),
  });
  return { state, events: [fact] };
}

/** The last 50 random bits of the id: short enough to read out, and the same when a registration is repeated (R209). */
export const referralCodeOf = (id: UserId): string => id.slice(-REFERRAL_CODE_CHARS).toUpperCase();

/** Changes what is given and keeps the rest. Only what others show or decide by is stated as a fact. */
export function updateProfile(user: User, change: UpdateProfileRequest, now: Date): Change<User> {
  const displayName = change.displayName ?? user.displayName;
  const state: User = {
    ...user,
    displayName,
    preferences: mergePreferences(user.preferences, change.preferences ?? {}),
    updatedAt: now,
  };
  return {
    state,
    events: displayName === user.displayName ? [] : [UserUpdated(user.id, factOf(state))],
  };
}

/**
 * Leaves a tombstone: the id, which others point at, and when and by whom it was deleted. Everything that tells who
 * it was is gone, the e-mail address is free again. A repeat changes nothing.
 */
export function deleteUser(user: User, deletedBy: UserId, now: Date): Change<User> {
  if (isDeleted(user)) return { state: user, events: [] };
  const { id, version, createdAt } = user;
  const state: User = {
    id,
    version,
    displayName: '',
    accountStatus: 'deleted',
    role: 'user',
    authMethod: 'passwordless',
    preferences: DEFAULT_PREFERENCES,
    security: { twoFactorEnabled: false },
    referralCount: 0,
    loginSeq: 0,
    createdAt,
    updatedAt: now,
    deletedAt: now,
    deletedBy,
  };
  const fact = UserDeleted(id, { userId: id, deletedAt: now.toISOString(), deletedBy });
  return { state, events: [UserUpdated(id, factOf(state)), fact] };
}

export const isDeleted = ({ accountStatus }: Pick<User, 'accountStatus'>): boolean =>
  accountStatus === 'deleted';

/** Throws forbidden `identity.user.own` (the owner has to confirm it) or `identity.user.higher_role`. */
export function assertMayDelete({ id, role }: Actor, user: User): void {
  if (id === user.id) throw notByAdmin('own', 'This is your own account. Delete it at /api/v1/users/me.');
  const rank = role === undefined ? -1 : PLATFORM_ROLES.indexOf(role);
  if (rank < PLATFORM_ROLES.indexOf(user.role))
    throw notByAdmin('higher_role', `This account has the role ${user.role}. Ask somebody who has it too.`);
}

/** Throws forbidden `identity.user.suspended` or `identity.user.pending`; asked only after the password was right. */
export function assertMaySignIn(user: User): void {
  if (user.accountStatus === 'active') return;
  throw new DomainError({
    kind: 'forbidden',
    code: `identity.user.${user.accountStatus}`,
    detail: `This account is ${user.accountStatus}. Write to the support.`,
  });
}

function mergePreferences(
  before: Preferences,
  change: NonNullable<UpdateProfileRequest['preferences']>,
): Preferences {
  const { notifications = {}, privacy, ...rest } = change;
  const merge = (channel: keyof Preferences['notifications']) => ({
    ...before.notifications[channel],
    ...notifications[channel],
  });
  return {
    ...before,
    ...rest,
    notifications: {
      inApp: merge('inApp'),
      email: merge('email'),
      sms: merge('sms'),
      webhook: merge('webhook'),
    },
    privacy: { ...before.privacy, ...privacy },
  };
}

const factOf = ({ id, email, displayName, role, accountStatus }: User) => ({
  userId: id,
  email: email ?? null,
  displayName,
  role,
  accountStatus,
});

export const emailTaken = () =>
  new DomainError({
    kind: 'conflict',
    code: 'identity.user.email_taken',
    detail: 'There is an account with this e-mail address already. Sign in instead.',
    errors: [{ pointer: '/email', detail: 'belongs to an account' }],
  });

const notByAdmin = (reason: 'own' | 'higher_role', detail: string) =>
  new DomainError({ kind: 'forbidden', code: `identity.user.${reason}`, detail });

export const userNotFound = () =>
  new DomainError({ kind: 'not_found', code: 'identity.user.not_found', detail: 'There is no such user.' });
