/** One name in every spelling that code has. */
export interface Name {
  /** `payout-method`: files and routes */
  readonly kebab: string;
  /** `payoutMethod` */
  readonly camel: string;
  /** `PayoutMethod` */
  readonly pascal: string;
  /** `payout_method`: collections, error codes, event types */
  readonly snake: string;
  /** `PAYOUT_METHOD` */
  readonly constant: string;
  /** `payout method`: sentences */
  readonly words: string;
}

const KEBAB = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * The spellings of a kebab-case name.
 * @throws Error that shows how it would be right
 */
export function nameOf(text: string, what: string): Name {
  if (!KEBAB.test(text)) {
    const better = text
      .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
      .replace(/[^A-Za-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .toLowerCase();
    const hint = KEBAB.test(better) ? ` Did you mean \`${better}\`?` : '';
    throw new Error(
      `\`${text}\` is no name for ${what}: use lower-case words with hyphens, like payout-method.${hint}`,
    );
  }
  const parts = text.split('-');
  const pascal = parts.map((part) => part[0]!.toUpperCase() + part.slice(1)).join('');
  return {
    kebab: text,
    camel: pascal[0]!.toLowerCase() + pascal.slice(1),
    pascal,
    snake: parts.join('_'),
    constant: parts.join('_').toUpperCase(),
    words: parts.join(' '),
  };
}

/** `idea` → `ideas`, `gallery` → `galleries`, `box` → `boxes`. Irregular nouns have their `--plural`. */
export function pluralOf(noun: string): string {
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`;
}

/** `archive` → `archived`, `copy` → `copied`, `pin` → `pinned`. Irregular verbs have their `--past`. */
export function pastOf(verb: string): string {
  if (verb.endsWith('e')) return `${verb}d`;
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ied`;
  return /^[^aeiou]*[aeiou][bdgmnprt]$/.test(verb) ? `${verb}${verb.at(-1)}ed` : `${verb}ed`;
}

/** `Archives` */
export const capital = (words: string): string => words[0]!.toUpperCase() + words.slice(1);

/** `a prompt`, `an idea` */
export const withArticle = (words: string): string => `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`;
