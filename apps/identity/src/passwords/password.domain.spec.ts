import { checkPassword } from './password.domain.js';

const owner = { email: 'ada.lovelace@example.org', displayName: 'Ada Lovelace' };
const codeOf = (password: string): string | undefined => {
  try {
    checkPassword(password, owner);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('password rules', () => {
  it('takes eight characters and refuses seven (R155)', () => {
    expect(codeOf('k7#mQ2x')).toBe('identity.password.too_short');
    expect(codeOf('k7#mQ2xz')).toBeUndefined();
  });

  it('counts characters, not bytes or UTF-16 units', () => {
    expect(codeOf('🦀🐙🦑🐳')).toBe('identity.password.too_short');
    expect(codeOf('🦀🐙🦑🐳🐬🦈🐟🐠')).toBeUndefined();
  });

  it('takes more than 64 characters of any script and refuses more than 128', () => {
    const long = (length: number) => Array.from('ключ от дома и сада 9').join('').repeat(9).slice(0, length);
    expect(codeOf(long(128))).toBeUndefined();
    expect(codeOf(long(129))).toBe('identity.password.too_long');
  });

  it.each(['password', 'PASSWORD123', '12345678', 'qwertyuiop', 'Sunshine1', 'aaaaaaaaaa', 'abababababab'])(
    'refuses %s, which attackers try first',
    (password) => expect(codeOf(password)).toBe('identity.password.too_common'),
  );

  it.each(['ada.lovelace', 'AdaLovelace1815!', 'Ada Lovelace', 'ada.lovelace@example.org'])(
    'refuses %s, which is the name of its owner',
    (password) => expect(codeOf(password)).toBe('identity.password.too_common'),
  );

  it('asks for no kinds of characters', () => {
    expect(codeOf('correct horse battery staple')).toBeUndefined();
  });
});
