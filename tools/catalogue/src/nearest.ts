const NEAREST_MAX = 3;

/** The names that a person may have meant, the nearest first; each is known by its spellings, in lower case. */
export function nearest(
  wanted: string,
  names: readonly { readonly name: string; readonly spellings: readonly string[] }[],
): readonly string[] {
  const plain = wanted.toLowerCase();
  return names
    .map(({ name, spellings }) => ({
      name,
      distance: Math.min(...spellings.map((spelling) => distance(plain, spelling))),
    }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NEAREST_MAX)
    .map(({ name }) => name);
}

/** How many letters must change to make one word of the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = from[i - 1] === to[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change);
    }
    row = next;
  }
  return row[to.length]!;
}
