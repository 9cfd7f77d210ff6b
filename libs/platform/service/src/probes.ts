/** What only persistence can tell; it registers how. This library knows no database. */
interface Probes {
  /** Whether a transaction that somebody else began is open. Its owner reruns the whole of it, not a part. */
  isInTransaction: () => boolean;
  /** Whether an error says that the database is away or overloaded, and not that the work is wrong. */
  isOutage: (error: unknown) => boolean;
}

export const probes: Probes = { isInTransaction: () => false, isOutage: () => false };

export function setTransactionProbe(probe: Probes['isInTransaction']): void {
  probes.isInTransaction = probe;
}

export function setOutageProbe(probe: Probes['isOutage']): void {
  probes.isOutage = probe;
}
