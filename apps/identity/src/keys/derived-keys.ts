import { createHmac, hkdfSync } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type ConfigOf, InjectConfig } from '@atelier/service';
import { identityConfig } from '../identity.config.js';

const KEY_BYTES = 32;

/** What a derived key is for; each purpose has a key of its own (HKDF, RFC 5869). */
export type KeyPurpose = 'refresh-token' | 'ip-address' | 'idempotency-answer' | 'throttle';

/** The keys that identity derives from `DATA_ENCRYPTION_KEY`. */
@Injectable()
export class DerivedKeys {
  private readonly keys = new Map<KeyPurpose, Buffer>();

  constructor(@InjectConfig(identityConfig) private readonly config: ConfigOf<typeof identityConfig>) {}

  key(purpose: KeyPurpose): Buffer {
    const known = this.keys.get(purpose);
    if (known) return known;
    const derived = hkdfSync(
      'sha256',
      this.config.DATA_ENCRYPTION_KEY,
      '',
      `atelier.identity.${purpose}.v1`,
      KEY_BYTES,
    );
    const key = Buffer.from(derived);
    this.keys.set(purpose, key);
    return key;
  }

  /** HMAC-SHA-256 in base64url: equal for equal text, and of no use without the key. */
  mac(purpose: KeyPurpose, text: string): string {
    return createHmac('sha256', this.key(purpose)).update(text).digest('base64url');
  }
}
