export * from './background-loop.js';
export * from './bootstrap.js';
export * from './config.js';
export * from './create-service.js';
export { assertVersion, IfMatch, withEtag } from './etag.js';
export { HealthRegistry, type HealthAnswer } from './health.js';
export {
  IdempotencyStore,
  Idempotent,
  type IdempotencyState,
  type IdempotentOptions,
  type StoredAnswer,
} from './idempotency.js';
export * from './messaging-transport.js';
export { setOutageProbe, setTransactionProbe } from './probes.js';
export { OpenApiDocument } from './openapi.js';
export { PROBLEM_RESPONSE, PROBLEM_SCHEMAS } from './openapi-problem.js';
export { decodeCursor, encodeCursor } from './pagination.js';
// Contracts need them too, so they live in the kernel.
export { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, pageOf, pageQuery, type Page } from '@atelier/kernel';
export { PLATFORM_REFUSALS, PROBLEM_CONTENT_TYPE, problemOf, retryAfterOf, type Problem } from './problem.js';
export * from './service-client.js';
export { ShutdownSequence } from './shutdown.js';
export { readsBody } from './unread-input.interceptor.js';
export * from './use-case.js';
export { parseFields } from './validation.js';
