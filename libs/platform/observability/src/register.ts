/**
 * For `node --import @atelier/observability/register`: starts OpenTelemetry before the service's own modules
 * load. Off, and free, unless the standard variables name an exporter.
 */
const { OTEL_SDK_DISABLED, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER } = process.env;

if (OTEL_SDK_DISABLED !== 'true' && (OTEL_EXPORTER_OTLP_ENDPOINT || OTEL_TRACES_EXPORTER)) {
  const { startTelemetry } = await import('./start-telemetry.js');
  startTelemetry();
}

export {};
