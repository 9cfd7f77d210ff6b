import { DomainError } from '@atelier/kernel';
import { COMMON_PASSWORDS } from './common-passwords.js';

/** R155 (C), NIST SP 800-63B-4: length and a blocklist decide; there are no rules on the kinds of characters. */
export const PASSWORD_CHARS_MIN = 8;
/** In code points: at least 64 must be possible in any script, and hashing must stay cheap to begin. */
export const PASSWORD_CHARS_MAX = 128;
const DISTINCT_CHARS_MIN = 3;
/** Shorter names occur in good passwords by chance. */
const OWN_NAME_CHARS_MIN = 4;

export interface PasswordOwner {
  readonly email: string;
  readonly displayName: string;
}

/** One password, however a keyboard composes its characters (NFKC, as NIST SP 800-63B-4 3.1.1.2 asks). */
export const normalizePassword = (plain: string): string => plain.normalize('NFKC');

/**
 * Refuses a password that is too short, too long, or among the first guesses. Throws invalid
 * `identity.password.too_short`, `too_long` or `too_common`.
 */
export function checkPassword(plain: string, owner: PasswordOwner): void {
  const password = normalizePassword(plain);
  const chars = [...password].length;
  if (chars < PASSWORD_CHARS_MIN)
    throw refusal('too_short', `Password must be at least ${PASSWORD_CHARS_MIN} characters.`);
  if (chars > PASSWORD_CHARS_MAX)
    throw refusal('too_long', `Password must be at most ${PASSWORD_CHARS_MAX} characters.`);
  if (isGuessable(password.toLowerCase(), owner))
    throw refusal('too_common', 'This password is among the first that attackers try. Choose another.');
}

function isGuessable(password: string, { email, displayName }: PasswordOwner): boolean {
  if (COMMON_PASSWORDS.has(password) || new Set(password).size < DISTINCT_CHARS_MIN) return true;
  // A name with digits or signs around it is the name.
  const core = password.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  return [email, email.split('@', 1)[0]!, displayName, displayName.replaceAll(/\s/gu, '')]
    .map((name) => name.toLowerCase())
    .some((name) => name.length >= OWN_NAME_CHARS_MIN && (password === name || core === name));
}

const refusal = (reason: 'too_short' | 'too_long' | 'too_common', detail: string) =>
  new DomainError({
    kind: 'invalid',
    code: `identity.password.${reason}`,
    detail,
    errors: [{ pointer: '/password', detail }],
  });
