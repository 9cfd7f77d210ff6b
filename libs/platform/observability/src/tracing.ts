import { randomBytes } from 'node:crypto';
import {
  context as otelContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Link,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { DomainError } from '@atelier/kernel';
import { runInTrace, traceOfWork } from './context.js';

export { SpanKind };

const TRACER = 'atelier';
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
const SAMPLED = '01';
const STOP = Symbol.for('atelier.telemetry.stop');

interface TelemetryHolder {
  [STOP]?: () => Promise<void>;
}

export interface SpanOptions {
  /** W3C `traceparent` of the cause, as a message carries it. Without one, the running span is the parent. */
  readonly parentTraceparent?: string;
  readonly kind?: SpanKind;
  /** `traceparent`s of further causes, as of the other messages of a batch. */
  readonly links?: readonly string[];
}

/**
 * Runs `fn` in a span. A DomainError is an outcome and leaves the span unmarked but for its code; everything
 * else marks it as failed. Without a started OpenTelemetry nothing is recorded, and the trace id still flows.
 */
export async function withSpan<T>(
  name: string,
  attributes: Attributes,
  fn: (span: Span) => Promise<T>,
  options: SpanOptions = {},
): Promise<T> {
  const parent = parseTraceparent(options.parentTraceparent);
  const parentContext = parent ? trace.setSpanContext(otelContext.active(), parent) : otelContext.active();
  const links = (options.links ?? [])
    .map(parseTraceparent)
    .filter(isPresent)
    .map((context): Link => ({ context }));
  const span = trace
    .getTracer(TRACER)
    .startSpan(name, { attributes, kind: options.kind ?? SpanKind.INTERNAL, links }, parentContext);
  const recorded = span.isRecording() ? formatTraceparent(span.spanContext()) : undefined;
  const traceparent = recorded ?? childTraceparent(options.parentTraceparent ?? currentTraceparent());
  try {
    return await otelContext.with(trace.setSpan(parentContext, span), () =>
      runInTrace(traceparent, () => fn(span)),
    );
  } catch (error) {
    markFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** The W3C `traceparent` of the work that runs now, to be sent along; undefined outside of any. */
export function currentTraceparent(): string | undefined {
  const active = trace.getActiveSpan();
  // A span that records nothing repeats its parent; what the work carries is more exact then.
  return active?.isRecording() ? formatTraceparent(active.spanContext()) : traceOfWork();
}

/** The start of a new trace. */
export function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${SAMPLED}`;
}

export function isTraceparent(text: string | undefined): text is string {
  return text !== undefined && TRACEPARENT.test(text);
}

/** Sends what the exporter still holds and stops it. Does nothing when tracing was never started. */
export async function stopTelemetry(): Promise<void> {
  await (globalThis as TelemetryHolder)[STOP]?.();
}

/** For `register`: what `stopTelemetry` calls. Kept on the global, since the preload is a module graph of its own. */
export function onStopTelemetry(stop: () => Promise<void>): void {
  (globalThis as TelemetryHolder)[STOP] = stop;
}

function parseTraceparent(text: string | undefined): SpanContext | undefined {
  const match = TRACEPARENT.exec(text ?? '');
  if (!match) return undefined;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function formatTraceparent(span: SpanContext): string {
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

function childTraceparent(parent: string | undefined): string {
  const match = TRACEPARENT.exec(parent ?? '');
  return match ? `00-${match[1]}-${randomBytes(8).toString('hex')}-${match[3]}` : newTraceparent();
}

function markFailure(span: Span, error: unknown): void {
  if (error instanceof DomainError) {
    span.setAttribute('atelier.refusal', error.code);
    return;
  }
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({
    code: SpanStatusCode.ERROR,
    message: error instanceof Error ? error.message : String(error),
  });
}

const isPresent = <T>(value: T | undefined): value is T => value !== undefined;
