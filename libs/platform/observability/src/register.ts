import { isTracingWanted } from './tracing-wanted.js';

/**
 * For `node --import @atelier/observability/register`: starts OpenTelemetry before the service's own modules
 * load. Off, and free, unless the standard variables ask for traces.
 */
if (isTracingWanted(process.env)) {
  const { startTelemetry } = await import('./start-telemetry.js');
  startTelemetry();
}
