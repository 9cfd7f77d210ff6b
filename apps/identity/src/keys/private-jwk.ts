import { z } from 'zod';

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);

/** The JWK that signs access tokens, from JSON text. */
export const privateJwkSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected a JWK as JSON' });
      return z.NEVER;
    }
  })
  .pipe(
    z.discriminatedUnion('crv', [
      z.object({
        kty: z.literal('EC'),
        crv: z.literal('P-256'),
        x: base64url,
        y: base64url,
        d: base64url,
        kid: z.string().min(1).max(128),
      }),
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: base64url,
        d: base64url,
        kid: z.string().min(1).max(128),
      }),
    ]),
  );
export type PrivateJwk = z.infer<typeof privateJwkSchema>;
