/** What went wrong, in the terms of HTTP (RFC 9110); one word here is one status on the wire. */
export const ERROR_STATUS = {
  invalid: 400,
  unauthenticated: 401,
  payment_required: 402,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  precondition_required: 428,
  too_many_requests: 429,
  unavailable: 503,
} as const;

export type ErrorKind = keyof typeof ERROR_STATUS;

/** One field that was refused: a JSON pointer into the body (RFC 6901) and what is wrong with it. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export interface DomainErrorOptions {
  readonly kind: ErrorKind;
  /** Stable and documented: `<app>.<noun>.<reason>`. Clients switch on it. */
  readonly code: string;
  /** What happened and what to do, for a person. */
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Further members of the problem document, such as `available` and `required` (RFC 9457, 3.2). */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** A refusal that the caller is told about. Everything else that is thrown is a fault of ours and becomes a 500. */
export class DomainError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly extra: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(options: DomainErrorOptions) {
    super(options.detail, { cause: options.cause });
    this.name = 'DomainError';
    this.kind = options.kind;
    this.code = options.code;
    this.errors = options.errors;
    this.extra = options.extra;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return ERROR_STATUS[this.kind];
  }
}

/** Somebody else changed the aggregate since it was loaded. The use case may load, decide and save again. */
export class VersionConflict extends DomainError {
  constructor(collection: string, id: string) {
    super({
      kind: 'conflict',
      code: 'platform.version.conflict',
      detail: `${collection} ${id} was changed by somebody else in the meantime. Read it again and repeat your change.`,
    });
    this.name = 'VersionConflict';
  }
}
