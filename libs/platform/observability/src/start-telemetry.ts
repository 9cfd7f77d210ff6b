import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { KafkaJsInstrumentation } from '@opentelemetry/instrumentation-kafkajs';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { register } from 'import-in-the-middle/register-hooks.mjs';
import { onStopTelemetry } from './tracing.js';

/** Health probes and scrapes would be most of the traces and say nothing. */
const UNTRACED_PATH = /^\/(?:health\b|metrics\b)/;

/**
 * Starts the SDK with the instrumentations of what a service speaks: HTTP, Kafka, MongoDB. Exporter, sampler and
 * service name come from the standard OTEL_* variables.
 */
export function startTelemetry(): void {
  // Only these modules pass through the hook; the rest of the graph loads at full speed.
  register({ include: ['http', 'https', 'kafkajs', 'mongodb'] });
  // Metrics are scraped at /metrics and logs go to standard output; the SDK would send both a second time.
  process.env.OTEL_METRICS_EXPORTER ??= 'none';
  process.env.OTEL_LOGS_EXPORTER ??= 'none';
  const sdk = new NodeSDK({
    instrumentations: [
      new HttpInstrumentation({ ignoreIncomingRequestHook: ({ url }) => UNTRACED_PATH.test(url ?? '') }),
      new KafkaJsInstrumentation(),
      // Statements can hold personal data: the span names the collection and the operation, no values.
      new MongoDBInstrumentation({ enhancedDatabaseReporting: false }),
    ],
  });
  sdk.start();
  onStopTelemetry(() => sdk.shutdown());
}
