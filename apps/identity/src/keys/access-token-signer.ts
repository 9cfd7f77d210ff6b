import { Injectable, type OnModuleInit } from '@nestjs/common';
import { createLocalJWKSet, importJWK, jwtVerify, SignJWT, type CryptoKey, type JWK } from 'jose';
import {
  ACCESS_TOKEN_AUDIENCE,
  ACCESS_TOKEN_ISSUER,
  ACCESS_TOKEN_LIFETIME_SECONDS,
} from '@atelier/contracts/identity/auth.api';
import type { AccessTokenClaims } from '@atelier/auth';
import { type ConfigOf, InjectConfig } from '@atelier/service';
import { identityConfig } from '../identity.config.js';

/** Signs access tokens; everybody checks them with the public half, which `jwks` publishes. */
@Injectable()
export class AccessTokenSigner implements OnModuleInit {
  readonly jwks: { readonly keys: JWK[] };
  private readonly algorithm: 'ES256' | 'EdDSA';
  private readonly kid: string;
  private readonly key: Promise<CryptoKey | Uint8Array>;

  constructor(@InjectConfig(identityConfig) config: ConfigOf<typeof identityConfig>) {
    const { d: _private, ...publicKey } = config.JWT_PRIVATE_JWK;
    this.algorithm = publicKey.crv === 'Ed25519' ? 'EdDSA' : 'ES256';
    this.kid = publicKey.kid;
    this.jwks = { keys: [{ ...publicKey, alg: this.algorithm, use: 'sig' }] };
    this.key = importJWK(config.JWT_PRIVATE_JWK, this.algorithm);
    this.key.catch(() => undefined);
  }

  /** A key whose halves do not belong together would sign tokens that everybody refuses: better no start. */
  async onModuleInit(): Promise<void> {
    try {
      const token = await this.sign({ sub: 'start', sid: 'start', role: 'user' }, new Date());
      await jwtVerify(token, createLocalJWKSet(this.jwks));
    } catch (cause) {
      throw new Error(
        'JWT_PRIVATE_JWK cannot sign access tokens: d, x and y are not of one key. Make a new one.',
        { cause },
      );
    }
  }

  /** A token for one session of one user, valid for `ACCESS_TOKEN_LIFETIME_SECONDS` from `now`. */
  async sign(claims: Pick<AccessTokenClaims, 'sub' | 'sid' | 'role'>, now: Date): Promise<string> {
    const issuedAt = Math.floor(now.getTime() / 1000);
    return new SignJWT({ sid: claims.sid, role: claims.role })
      .setProtectedHeader({ alg: this.algorithm, kid: this.kid, typ: 'JWT' })
      .setSubject(claims.sub)
      .setIssuer(ACCESS_TOKEN_ISSUER)
      .setAudience(ACCESS_TOKEN_AUDIENCE)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ACCESS_TOKEN_LIFETIME_SECONDS)
      .sign(await this.key);
  }
}
