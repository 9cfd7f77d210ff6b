/** Colours only where a person looks, and nobody asked for none (no-color.org). */
export const isColoured = (
  env: NodeJS.ProcessEnv = process.env,
  isTerminal = process.stdout.isTTY === true,
): boolean => !env['NO_COLOR'] && (isTerminal || Boolean(env['FORCE_COLOR']));

const codes = { bold: 1, dim: 2, red: 31, yellow: 33, cyan: 36 } as const;
export type Paint = (colour: keyof typeof codes, text: string) => string;

export const painter =
  (coloured: boolean): Paint =>
  (colour, text) =>
    coloured ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text;

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  readonly colour?: keyof typeof codes;
}

/** Rows in columns; the last column takes what is left of the width, and ends in … when that is too little. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  paint: Paint,
  widthMax: number,
): string {
  const cells = rows.map((row) => columns.map(({ of }) => of(row).replaceAll(/\s+/g, ' ')));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]!.length)),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const last = Math.max(10, widthMax - before);
  const fit = (text: string, index: number): string => {
    if (index < columns.length - 1) return text.padEnd(widths[index]!);
    return text.length > last ? `${text.slice(0, last - 1)}…` : text;
  };
  const head = columns.map(({ title }, index) => paint('bold', fit(title, index))).join('  ');
  const body = cells.map((line) =>
    line
      .map((text, index) => {
        const { colour } = columns[index]!;
        return colour ? paint(colour, fit(text, index)) : fit(text, index);
      })
      .join('  '),
  );
  return [head, ...body].join('\n');
}
