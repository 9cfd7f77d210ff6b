import { isColoured, painter, table } from './table.js';

const columns = [
  { title: 'ID', of: (row: readonly string[]) => row[0]! },
  { title: 'REASON', of: (row: readonly string[]) => row[1]!, colour: 'red' as const },
];

describe('a table for a terminal', () => {
  it('aligns its columns and cuts the last one at the width', () => {
    const rows = [
      ['long-id', 'short'],
      ['id', 'a reason that goes\non and on'],
    ];
    expect(table(rows, columns, painter(false), 24)).toBe(
      ['ID       REASON', 'long-id  short', 'id       a reason that …'].join('\n'),
    );
  });

  it('has colours on a terminal, and none with NO_COLOR or in a pipe', () => {
    expect(isColoured({}, true)).toBe(true);
    expect(isColoured({ NO_COLOR: '1' }, true)).toBe(false);
    expect(isColoured({}, false)).toBe(false);
    expect(isColoured({ FORCE_COLOR: '1' }, false)).toBe(true);
    expect(painter(true)('red', 'x')).toBe('\x1b[31mx\x1b[0m');
  });
});
