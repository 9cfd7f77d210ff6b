import { z } from 'zod';

export const PAGE_LIMIT_DEFAULT = 20;
export const PAGE_LIMIT_MAX = 100;
const CURSOR_CHARS_MAX = 1_024;

const pageShape = {
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT),
  /** Where the last page ended; opaque to clients. */
  cursor: z.string().min(1).max(CURSOR_CHARS_MAX).optional(),
};

/** The query of a list: `limit`, `cursor` and the list's own filters. Unknown parameters are refused. */
export function pageQuery<Extra extends z.ZodRawShape>(
  extra: Extra,
): z.ZodObject<typeof pageShape & Extra, z.core.$strict>;
export function pageQuery(): z.ZodObject<typeof pageShape, z.core.$strict>;
export function pageQuery(extra: z.ZodRawShape = {}): z.ZodObject {
  return z.strictObject({ ...pageShape, ...extra });
}

/** The answer of a list. `nextCursor` is null on the last page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}
