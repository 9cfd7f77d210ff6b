/** The text of a PDF whose streams are not compressed: a line per piece that is shown, in the order of drawing. */
export function pdfText(pdf: string): string {
  return [...pdf.matchAll(/\[(.*)\] TJ/g)]
    .map(([, pieces]) => [...pieces!.matchAll(/<([0-9a-f]*)>/g)].map(([, hex]) => hex).join(''))
    .map((hex) => Buffer.from(hex, 'hex').toString('latin1').trim())
    .join('\n');
}
