import { csvLine } from './statement-csv.domain.js';

describe('a line of CSV', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])('makes %j plain text', (text) => {
    expect(csvLine([text]).replaceAll('"', '')).toBe(`'${text}\r\n`);
  });

  it('quotes what would break it, and leaves numbers below zero as numbers', () => {
    expect(csvLine(['a,b', 'say "hi"', 'two\nlines', 'plain', -5, 7])).toBe(
      '"a,b","say ""hi""","two\nlines",plain,-5,7\r\n',
    );
  });
});
