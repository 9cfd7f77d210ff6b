import type { JsonSchema } from './contracts.js';

/** Keywords under which every value of the past must still be the same. */
const exact = ['pattern', 'format', 'const', 'contentEncoding'] as const;
const lowerBounds = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'] as const;
const upperBounds = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'] as const;

/**
 * What in `now` would break somebody: a record of the past that no longer parses, or a reader of the past that
 * misses a field. New optional fields, wider bounds and further enum values are no breach.
 * @returns one sentence per breach, with the path of the field; empty when there is none
 */
export function breaches(past: JsonSchema, now: JsonSchema, at = 'data'): string[] {
  const pastWays = alternatives(past);
  const nowWays = alternatives(now);
  if (pastWays.length > 1 || nowWays.length > 1) {
    return pastWays.flatMap((way) => {
      const found = nowWays.map((other) => breaches(way, other, at));
      if (found.some((list) => list.length === 0)) return [];
      return nowWays.length === 1 ? found[0]! : [`${at}: ${nameOf(way)} is no longer allowed`];
    });
  }
  if (!isWithin(past['type'], now['type'])) return [`${at}: was ${nameOf(past)} and is now ${nameOf(now)}`];
  return [
    ...ofValues(past, now, at),
    ...ofBounds(past, now, at),
    ...ofFields(past, now, at),
    ...ofItems(past, now, at),
  ];
}

function ofValues(past: JsonSchema, now: JsonSchema, at: string): string[] {
  const found = exact
    .filter((keyword) => now[keyword] !== undefined && now[keyword] !== past[keyword])
    .map((keyword) => `${at}: ${keyword} changed from ${show(past[keyword])} to ${show(now[keyword])}`);
  const allowed = now['enum'];
  if (!Array.isArray(allowed)) return found;
  const before = past['enum'] ?? (past['const'] === undefined ? undefined : [past['const']]);
  if (!Array.isArray(before)) return [...found, `${at}: only some values are allowed now`];
  const gone = before.filter((value) => !allowed.includes(value));
  return gone.length === 0 ? found : [...found, `${at}: ${gone.map(show).join(', ')} is no longer allowed`];
}

function ofBounds(past: JsonSchema, now: JsonSchema, at: string): string[] {
  const tighter = (keyword: string, worse: (before: number, after: number) => boolean): boolean => {
    const [before, after] = [past[keyword], now[keyword]];
    return typeof after === 'number' && (typeof before !== 'number' || worse(before, after));
  };
  return [
    ...lowerBounds.filter((keyword) => tighter(keyword, (before, after) => after > before)),
    ...upperBounds.filter((keyword) => tighter(keyword, (before, after) => after < before)),
  ].map((keyword) => `${at}: ${keyword} is tighter: ${show(past[keyword])} → ${show(now[keyword])}`);
}

function ofFields(past: JsonSchema, now: JsonSchema, at: string): string[] {
  const [before, after] = [fieldsOf(past), fieldsOf(now)];
  const [hadToBe, hasToBe] = [requiredOf(past), requiredOf(now)];
  const removed = Object.keys(before).filter((name) => !(name in after));
  const newlyRequired = [...hasToBe].filter((name) => !hadToBe.has(name));
  const newlyOptional = [...hadToBe].filter((name) => name in after && !hasToBe.has(name));
  return [
    ...removed.map((name) => `${at}.${name}: was removed; readers still look for it`),
    ...newlyRequired.map((name) => `${at}.${name}: is required now; the records of the past may lack it`),
    ...newlyOptional.map((name) => `${at}.${name}: is optional now; readers rely on it`),
    ...Object.keys(before)
      .filter((name) => name in after)
      .flatMap((name) => breaches(before[name]!, after[name]!, `${at}.${name}`)),
    ...(now['additionalProperties'] === false && past['additionalProperties'] !== false
      ? [`${at}: refuses unknown fields now; a record of a later version has some`]
      : []),
  ];
}

function ofItems(past: JsonSchema, now: JsonSchema, at: string): string[] {
  const [before, after] = [past['items'], now['items']];
  return isSchema(before) && isSchema(after) ? breaches(before, after, `${at}[]`) : [];
}

const alternatives = (schema: JsonSchema): readonly JsonSchema[] => {
  const { type } = schema;
  if (Array.isArray(type)) return type.map((one: unknown) => ({ ...schema, type: one }));
  const ways = schema['anyOf'] ?? schema['oneOf'];
  return Array.isArray(ways) ? ways.filter(isSchema).flatMap(alternatives) : [schema];
};
/** An integer is a number; without a type everything is allowed. */
const isWithin = (past: unknown, now: unknown): boolean =>
  now === undefined || past === now || (past === 'integer' && now === 'number');
const fieldsOf = (schema: JsonSchema): Readonly<Record<string, JsonSchema>> =>
  (schema['properties'] ?? {}) as Record<string, JsonSchema>;
const requiredOf = (schema: JsonSchema): ReadonlySet<string> =>
  new Set((schema['required'] ?? []) as string[]);
const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;
const nameOf = (schema: JsonSchema): string =>
  typeof schema['type'] === 'string' ? schema['type'] : show(schema['const'] ?? schema['enum'] ?? 'anything');
const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

/** What a developer is told who changed a contract in a way that breaks somebody. */
export function teach(type: string, found: readonly string[]): string {
  const [, base, major] = /^(.*)\.v(\d+)$/.exec(type) ?? ['', type, '1'];
  return [
    `${type} changed in a way that breaks others:`,
    ...found.map((breach) => `  ${breach}`),
    'Facts stay on their topics for more than a year and are read again by every replay, so a contract only grows:',
    '  add optional fields, or define ' +
      `${base}.v${Number(major) + 1} beside it and state both until nobody reads v${major}.`,
    `  If no release ever stated it: delete libs/contracts/schemas/${type}.json and examples/${type}.json, then \`npm run gen\`.`,
  ].join('\n');
}
