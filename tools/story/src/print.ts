import { styleText } from 'node:util';
import type { Exchange } from './api.js';

const BODY_CHARS_MAX = 150;
const SECRETS = /("(?:accessToken|refreshToken|password)":")[^"]*/g;

const colour = (style: Parameters<typeof styleText>[0], text: string): string =>
  styleText(style, text, { stream: process.stdout });

/** One line a request, one a fact; secrets never. */
export const printStep = (number: number, title: string): void =>
  console.log(`\n${colour(['bold', 'cyan'], `${number}. ${title}`)}`);

export function printExchange({ method, path, sent, answer }: Exchange): void {
  const ok = answer.status < 400;
  const short = path.replace(/^https?:\/\/[^/]+\/api\/v1/, '');
  console.log(
    `   ${colour('bold', method.padEnd(5))} ${short} ${sent === undefined ? '' : colour('dim', shorten(sent))}`,
  );
  console.log(
    `      ${colour(ok ? 'green' : 'red', String(answer.status))} ${colour('dim', shorten(answer.body))}`,
  );
}

export function printFact(type: string, subject: string, data: unknown): void {
  console.log(`      ${colour('magenta', `▸ ${type}`)} ${subject} ${colour('dim', shorten(data))}`);
}

function shorten(value: unknown): string {
  const text = (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replace(SECRETS, '$1…');
  return text.length > BODY_CHARS_MAX ? `${text.slice(0, BODY_CHARS_MAX)}…` : text;
}
