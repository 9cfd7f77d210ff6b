/** Who holds a lock: its process, when that process began, and what it does. */
export interface LockHolder {
  pid: number;
  bornAt: string;
  command: string;
}

/**
 * Takes a lock for this process; the function that it answers gives it back.
 * @throws what `refusal` makes of the living holder
 */
export declare function takeLock(
  file: string,
  command: string,
  refusal: (holder: LockHolder) => Error,
): () => void;
/** The living holder of a lock, if there is one. */
export declare function lockHolder(file: string): LockHolder | undefined;
/** When a process began, in clock ticks since boot, as text; undefined when there is none. */
export declare function birthOf(pid: number): string | undefined;
