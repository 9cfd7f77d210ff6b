/** The fields of the unique index that a write ran into, or undefined when the error is another. */
export function duplicateKeyFields(error: unknown): readonly string[] | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || error.code !== 11000)
    return undefined;
  const { keyPattern, message } = error as { keyPattern?: Record<string, unknown>; message?: string };
  if (keyPattern) return Object.keys(keyPattern);
  // A server that names only the index: `index: userId_1_createdAt_-1`.
  const index = /index: (\S+)/.exec(message ?? '')?.[1] ?? '';
  return index === '_id_' ? ['_id'] : index.split(/_-?1(?:_|$)/).filter(Boolean);
}
