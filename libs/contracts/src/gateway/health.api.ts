import { z } from 'zod';

/** The answer of `GET /healthz`: the whole platform on one page. 503 while any service is down. */
export const platformHealthView = z.strictObject({
  status: z.enum(['up', 'down']),
  services: z.record(
    z.string(),
    z.strictObject({
      status: z.enum(['up', 'down']),
      /** Who is missing and why, for an operator. */
      reason: z.string().optional(),
    }),
  ),
});
export type PlatformHealthView = z.infer<typeof platformHealthView>;
