import { StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { DomainError, type FieldError } from '@atelier/kernel';
import type { z } from 'zod';

const FIELD_ERRORS_MAX = 50;

const PLACES: Readonly<Record<string, string>> = { body: 'body', query: 'query', param: 'path' };

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[];
  /** zod's own members, where the schema is zod's. */
  readonly code?: string;
  readonly keys?: readonly string[];
}

/**
 * Validates every argument that names a schema: `@Body({ schema })`, `@Query({ schema })`, `@Param('id', { schema })`.
 * A refusal is a 400 `platform.request.invalid` with a JSON pointer per field.
 */
export class RequestValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema } = metadata;
    if (!schema || !this.toValidate(metadata)) return value;
    this.stripProtoKeys(value);
    const result = await this.validate<T>(value, schema);
    if (!result.issues) return result.value;
    const base = metadata.data === undefined ? [] : [metadata.data];
    throw invalidRequest(PLACES[metadata.type] ?? 'request', result.issues, base);
  }
}

/** Validates the fields of a form outside of Nest's arguments, with the same refusal. */
export function parseFields<Schema extends z.ZodType>(schema: Schema, fields: unknown): z.infer<Schema> {
  const result = schema.safeParse(fields);
  if (result.success) return result.data;
  throw invalidRequest('body', result.error.issues, []);
}

/** The refusal of a body or a query that nobody reads: each of its fields is unknown. */
export const unreadInput = (place: 'body' | 'query', input: unknown): DomainError => {
  const isFields = typeof input === 'object' && input !== null && !Array.isArray(input);
  const issue = isFields
    ? { message: '', code: 'unrecognized_keys', keys: Object.keys(input) }
    : { message: 'is not expected' };
  return invalidRequest(place, [issue], []);
};

function invalidRequest(place: string, issues: readonly Issue[], base: readonly string[]): DomainError {
  return new DomainError({
    kind: 'invalid',
    code: 'platform.request.invalid',
    detail: `The request's ${place} is invalid; see errors.`,
    errors: issues.flatMap((issue) => fieldErrors(issue, base)).slice(0, FIELD_ERRORS_MAX),
  });
}

function fieldErrors(issue: Issue, base: readonly string[]): FieldError[] {
  const path = [...base, ...(issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part))];
  if (issue.code === 'unrecognized_keys' && issue.keys)
    return issue.keys.map((key) => ({ pointer: pointerTo([...path, key]), detail: 'is not a known field' }));
  const missing = issue.message.endsWith('received undefined');
  return [{ pointer: pointerTo(path), detail: missing ? 'is required' : issue.message }];
}

/** RFC 6901. The empty pointer is the whole document. */
const pointerTo = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
