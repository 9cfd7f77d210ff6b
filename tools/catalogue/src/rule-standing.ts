export interface Rule {
  readonly id: string;
  readonly words: string;
}

/** How the rules of one page stand; each is in one of the three. */
export interface Standing {
  readonly proved: readonly Rule[];
  readonly waived: readonly Rule[];
  readonly open: readonly Rule[];
}

/**
 * A rule that is waived does not hold as the documents have it, so it is waived also where a test names it: that
 * test proves what holds instead.
 */
export function standingOf(
  rules: readonly Rule[],
  named: ReadonlySet<string>,
  waived: ReadonlySet<string>,
): Standing {
  const kept = rules.filter(({ id }) => !waived.has(id));
  return {
    proved: kept.filter(({ id }) => named.has(id)),
    waived: rules.filter(({ id }) => waived.has(id)),
    open: kept.filter(({ id }) => !named.has(id)),
  };
}

/** The rows `| R473 | what holds |` of a rules page. */
export const rulesOf = (page: string): Rule[] =>
  [...page.matchAll(/^\|\s*(R\d+)\s*\|\s*([^|]*?)\s*\|/gm)].map(([, id, words]) => ({
    id: id!,
    words: words!,
  }));

/** The ids in the titles of a spec: `it('stores a voucher code upper-cased (R473)', …)`. */
export const idsInTitles = (spec: string): string[] =>
  [...spec.matchAll(/\b(?:it|test|describe)(?:\.each\([\s\S]*?\))?\(\s*(['"`][\s\S]*?['"`]),/g)].flatMap(
    ([, title]) => idsIn(title!),
  );

/** The ids in the first column of the waivers; ranges such as R511–R515 count whole. */
export const waivedIn = (dataModel: string): string[] =>
  [...dataModel.slice(dataModel.indexOf('## Waivers')).matchAll(/^\|([^|]*R\d+[^|]*)\|/gm)].flatMap(
    ([, cell]) => idsIn(cell!),
  );

function idsIn(text: string): string[] {
  return [...text.matchAll(/\bR(\d+)(?:\s*[–-]\s*R(\d+))?/g)].flatMap(([, from, to]) => {
    const count = to ? Number(to) - Number(from) + 1 : 1;
    return Array.from({ length: count }, (_, index) => `R${Number(from) + index}`);
  });
}
