import { parseCommand, UsageError } from './arguments.js';

const now = new Date('2026-11-21T10:00:00Z');
const parse = (line: string) => parseCommand(line.split(' ').filter(Boolean), now);

describe('the command line of the ledger', () => {
  it.each([
    ['--help', { name: 'help' }],
    ['verify -h', { name: 'help' }],
    ['verify', { name: 'verify' }],
    ['rebuild', { name: 'rebuild', apply: false }],
    ['rebuild --apply', { name: 'rebuild', apply: true }],
    ['explain pur_1', { name: 'explain', id: 'pur_1' }],
    ['regenerate --month 2026-11 --dry-run', { name: 'regenerate', month: '2026-11', dryRun: true }],
  ])('takes %j', (line, command) => {
    expect(parse(line)).toEqual(command);
  });

  it.each([
    ['', 'which command?'],
    ['mend', 'no command mend'],
    ['verify --fast', '--fast'],
    ['verify --apply', '--apply is for rebuild'],
    ['verify --dry-run', '--dry-run are for regenerate'],
    ['verify all', 'which one?'],
    ['explain', 'which one?'],
    ['explain pur_1 pur_2', 'which one?'],
    ['regenerate --month 2026-13', 'no month'],
    ['regenerate --month 2026-12', 'not begun'],
  ])('refuses %j and says why', (line, why) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(why);
  });
});
