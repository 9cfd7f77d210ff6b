const out = process.stdout;
/** Whether machines read here: one JSON object a line, nothing else. */
export const isJson = process.env['LOG_FORMAT'] === 'json';
const moving = out.isTTY === true && process.env['TERM'] !== 'dumb' && !isJson;
/** Whether people see colours here; apps are asked for the same. */
export const coloured =
  !process.env['NO_COLOR'] && (out.isTTY === true || Boolean(process.env['FORCE_COLOR'])) && !isJson;
const palette = [36, 32, 33, 35, 34, 96, 92, 93];
const nameWidth = 13;

let statusLine = '';

export const paint = (code: number, text: string): string =>
  coloured ? `\x1b[${code}m${text}\x1b[0m` : text;

/** Prints a line above the status line. */
export function print(text: string): void {
  if (statusLine) out.write('\r\x1b[2K');
  out.write(`${text}\n`);
  if (statusLine) out.write(statusLine);
}

/** The stack's own words; a JSON line where machines read. */
export function say(text: string): void {
  print(isJson ? jsonLine('stack', text.trim()) : text);
}

/** Shows one line that the next one replaces; without a terminal each is a line of its own. */
export function status(text: string): void {
  if (!moving) {
    if (text) say(text);
    return;
  }
  out.write('\r\x1b[2K');
  statusLine = text.slice(0, Math.max(20, (out.columns || 100) - 1));
  out.write(statusLine);
}

/** One line of an app after its name in its colour; where machines read, as it is or wrapped. */
export function logLine(name: string, index: number, line: string): void {
  if (isJson) {
    if (line.trim()) print(asJson(name, line));
  } else {
    print(`${paint(palette[index % palette.length]!, name.padEnd(nameWidth))} ${line}`);
  }
}

/** A line that is a JSON object already, else one around it: Node's warnings and crashes are plain text. */
export function asJson(service: string, line: string): string {
  try {
    if (line.startsWith('{') && JSON.parse(line)) return line;
  } catch {
    // Not JSON after all.
  }
  return jsonLine(service, line);
}

const jsonLine = (service: string, msg: string): string =>
  JSON.stringify({ level: 30, time: new Date().toISOString(), service, msg });
