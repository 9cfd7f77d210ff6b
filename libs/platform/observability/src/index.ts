export { currentContext, runInContext } from './context.js';
export * from './logger.js';
export * from './metrics.js';
export * from './nest-logger.js';
export {
  currentTraceparent,
  isTraceparent,
  newTraceparent,
  SpanKind,
  stopTelemetry,
  withSpan,
  type SpanOptions,
} from './tracing.js';
