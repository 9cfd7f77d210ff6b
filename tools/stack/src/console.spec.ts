import { asJson } from './console.js';

describe('a line where machines read', () => {
  it('passes when it is JSON', () => {
    const line = '{"level":30,"service":"ledger","msg":"posted"}';
    expect(asJson('ledger', line)).toBe(line);
  });

  it.each(['Error: nothing is there', '{ no JSON }', '    at file.js:1'])(
    'is wrapped when it is not: %s',
    (line) => {
      expect(JSON.parse(asJson('ledger', line))).toEqual({
        ...{ level: 30, service: 'ledger', msg: line },
        time: expect.any(String),
      });
    },
  );
});
