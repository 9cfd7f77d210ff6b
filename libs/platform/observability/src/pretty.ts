import { inspect } from 'node:util';

const LEVELS: Readonly<Record<number, readonly [name: string, colour: number]>> = {
  10: ['trace', 90],
  20: ['debug', 36],
  30: ['info ', 32],
  40: ['warn ', 33],
  50: ['error', 31],
  60: ['fatal', 35],
};
const GREY = 90;
const HIDDEN = new Set([
  'level',
  'time',
  'msg',
  'service',
  'pid',
  'hostname',
  'err',
  'traceId',
  'causationId',
]);

/** One JSON log line as one line for a person, and the stack of an error below it. */
export function prettyLine(json: string, colours: boolean): string {
  const paint = (code: number, text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  let line: Record<string, unknown>;
  try {
    line = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return json;
  }
  const [level, colour] = LEVELS[Number(line.level)] ?? ['log  ', GREY];
  const time = new Date(String(line.time)).toISOString().slice(11, 23);
  const fields = Object.entries(line)
    .filter(([key]) => !HIDDEN.has(key))
    .map(
      ([key, value]) =>
        `${key}=${typeof value === 'string' ? value : inspect(value, { breakLength: Infinity })}`,
    );
  const head = `${paint(GREY, time)} ${paint(colour, level)} ${String(line.service)} ${textOf(line.msg)}`;
  const tail = fields.length > 0 ? ` ${paint(GREY, fields.join(' '))}` : '';
  return `${head}${tail}${errorLines(line.err)}\n`;
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

function errorLines(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message, cause } = error as { stack?: string; message?: string; cause?: unknown };
  const indented = String(stack ?? message).replaceAll('\n', '\n  ');
  return `\n  ${indented}${cause ? `${errorLines(cause).replace('\n  ', '\n  caused by ')}` : ''}`;
}
