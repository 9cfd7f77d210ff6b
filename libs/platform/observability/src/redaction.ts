/** How deep and how wide a log line is followed; what lies beyond is named, not printed. */
const DEPTH_MAX = 8;
const ENTRIES_MAX = 200;

const REDACTED = '[redacted]';

/** Keys whose values never reach a log, at any depth. Identifiers such as `tokenId` stay readable. */
const SECRET_KEY =
  /^(?!.*(?:Id|_id|Count|Type|ExpiresAt|At)$).*(authorization|cookie|passw(or)?d|token|secret|api[-_]?key|private[-_]?key|credential|card(number)?$|cvc|cvv|iban|x-atelier-actor)/i;

/** Secrets inside free text: credentials of a header, JWTs, and the user part of a connection string. */
const SECRET_TEXT: readonly [RegExp, string][] = [
  [/\bBearer\s+[\w.~+/=-]+/gi, `Bearer ${REDACTED}`],
  // Not every word after "Basic": base64 of any use has more than small letters.
  [/\bBasic\s+[\w+/](?=[a-z]*[A-Z\d+/=])[\w+/]*=*/g, `Basic ${REDACTED}`],
  [/\beyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?/g, REDACTED],
  [/(\b[a-z][\w+.-]*:\/\/)[^\s/:@"]*:[^\s/@"]+@/gi, `$1${REDACTED}@`],
];

export function redactText(text: string): string {
  return SECRET_TEXT.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/** A copy of a value that is safe to log: secret keys blanked, errors spelled out, cycles and depth cut. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '[too deep]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, ENTRIES_MAX).map((item) => redact(item, depth + 1));
  if (value instanceof Map) return redact(Object.fromEntries(value), depth + 1);
  if (value instanceof Set) return redact([...value], depth + 1);
  const plain: unknown = hasToJson(value) ? value.toJSON() : value;
  if (typeof plain !== 'object' || plain === null) return plain;
  return redactEntries(plain, depth);
}

const hasToJson = (value: object): value is { toJSON(): unknown } =>
  'toJSON' in value && typeof value.toJSON === 'function';

function redactEntries(value: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value).slice(0, ENTRIES_MAX))
    copy[key] = SECRET_KEY.test(key) && item != null ? REDACTED : redact(item, depth + 1);
  return copy;
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...redactEntries(error, depth),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
