import { idsInTitles, rulesOf, standingOf, waivedIn } from './rule-standing.js';

const page = `
| rule | what holds |
| ---- | ---------- |
| R232 | A balance is kept. |
| R236 | Nobody overspends. |
| R512 | Values have a case. |
| R600 | Nobody has looked yet. |
`;
const dataModel = `
| R600 | is a row of another table |

## Waivers

| rule | asks for | instead |
| ---- | -------- | ------- |
| R232 | the balance is deleted | kept, since R236 needs it |
| R511–R513 | upper case | lower case |
`;
const spec = `it('keeps the balance, and nobody overspends (R232, R236)', async () => {});`;

describe('the rules of a page', () => {
  const { proved, waived, open } = standingOf(
    rulesOf(page),
    new Set(idsInTitles(spec)),
    new Set(waivedIn(dataModel)),
  );

  it('are waived when they are listed so, also where a test names what holds instead', () => {
    expect(waived.map(({ id }) => id)).toEqual(['R232', 'R512']);
  });

  it('are proved when a title names them, and open when nothing does', () => {
    expect(proved).toEqual([{ id: 'R236', words: 'Nobody overspends.' }]);
    expect(open.map(({ id }) => id)).toEqual(['R600']);
  });
});
