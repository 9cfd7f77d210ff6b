/**
 * Repeats of conflicting commands, one at a time per collection. Those that were sent away together would meet again
 * if they came back together; alone, each finds what the one before it has left.
 */
export class RetryLanes {
  readonly #last = new Map<string, Promise<unknown>>();

  async pass<T>(collection: string, run: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(collection) ?? Promise.resolve()).then(run, run);
    this.#last.set(collection, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(collection) === turn) this.#last.delete(collection);
    }
  }
}
