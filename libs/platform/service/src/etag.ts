import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '@atelier/kernel';

const ETAG = /^"v(0|[1-9]\d{0,14})"$/;

/** The entity tag of an aggregate's version (RFC 9110, 8.8.3). */
const etagOf = (version: number): string => `"v${version}"`;

/** Sets the ETag of the answer. */
export function withEtag(reply: FastifyReply, version: number): void {
  reply.header('etag', etagOf(version));
}

/** The version in an `If-Match`: 428 when there is none, 400 when it is not one of our tags. */
export function expectedVersion(header: string | undefined): number {
  if (header === undefined)
    throw new DomainError({
      kind: 'precondition_required',
      code: 'platform.precondition.required',
      detail: 'Send If-Match with the ETag of the version that you changed.',
    });
  const match = ETAG.exec(header);
  if (!match)
    throw new DomainError({
      kind: 'invalid',
      code: 'platform.precondition.invalid',
      detail: 'If-Match takes one ETag of this resource, like "v3".',
    });
  return Number(match[1]);
}

/**
 * `@IfMatch() expected: number`: the version that the caller has seen. Where it is heeded and not asked for:
 * `@IfMatch({ optional: true }) expected: number | undefined`.
 */
export const IfMatch = createParamDecorator(
  (options: { readonly optional: true } | undefined, execution: ExecutionContext) => {
    const header = execution.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
    return options && header === undefined ? undefined : expectedVersion(header);
  },
);

/** Refuses with 412 when the resource is no longer at the version that the caller has seen. */
export function assertVersion(expected: number, actual: number): void {
  if (expected === actual) return;
  throw new DomainError({
    kind: 'precondition_failed',
    code: 'platform.precondition.failed',
    detail: 'Somebody else changed this in the meantime. Read it again and repeat your change.',
    extra: { expectedVersion: expected, actualVersion: actual },
  });
}
