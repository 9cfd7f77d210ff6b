/** Times of single operations, in milliseconds. */
export class Samples {
  private readonly values: number[] = [];

  add(ms: number): void {
    this.values.push(ms);
  }

  get count(): number {
    return this.values.length;
  }

  /** The value that this share of the samples does not exceed; NaN without samples. */
  quantile(share: number): number {
    const sorted = this.values.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  }
}

/** How often something was done, the seconds that all of it took, and what each took. */
export interface Done {
  readonly count: number;
  readonly seconds: number;
  readonly times: Samples;
}

/** Repeats `work` by so many clients for so long. */
export async function forSeconds(
  seconds: number,
  clients: number,
  work: () => Promise<unknown>,
): Promise<Done> {
  const times = new Samples();
  const from = performance.now();
  const lane = async (): Promise<void> => {
    while (performance.now() - from < seconds * 1000) {
      const started = performance.now();
      await work();
      times.add(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: clients }, lane));
  return { count: times.count, seconds: (performance.now() - from) / 1000, times };
}

/** Runs `work` for every item, at most `clients` side by side. */
export async function withClients<T>(
  items: readonly T[],
  clients: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      await work(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(clients, items.length) }, lane));
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
