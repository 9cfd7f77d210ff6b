import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Every metric of this process, with Node's own. `/metrics` prints it. */
export const registry = new Registry();
collectDefaultMetrics({ register: registry });

const NAME = /^atelier_[a-z0-9_]+$/;

/** From a millisecond to half a minute. */
const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The counter of this name, made on first use, so that several services may live in one process. */
export function counter<Label extends string>(
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
): Counter<Label> {
  return existing<Counter<Label>>(name) ?? new Counter({ name, help, labelNames, registers: [registry] });
}

/** The histogram of this name, made on first use; buckets are seconds unless given. */
export function histogram<Label extends string>(
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
  buckets: readonly number[] = DURATION_BUCKETS_SECONDS,
): Histogram<Label> {
  return (
    existing<Histogram<Label>>(name) ??
    new Histogram({ name, help, labelNames, buckets: [...buckets], registers: [registry] })
  );
}

/** The gauge of this name, made on first use. */
export function gauge<Label extends string>(
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
): Gauge<Label> {
  return existing<Gauge<Label>>(name) ?? new Gauge({ name, help, labelNames, registers: [registry] });
}

function existing<Metric>(name: string): Metric | undefined {
  if (!NAME.test(name)) throw new Error(`metric name "${name}" is not atelier_<thing>_<unit>`);
  return registry.getSingleMetric(name) as unknown as Metric | undefined;
}
