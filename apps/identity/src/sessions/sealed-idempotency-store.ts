import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Inject, Injectable, Module } from '@nestjs/common';
import { IdempotencyStore, type IdempotencyState, type StoredAnswer } from '@atelier/service';
import { DerivedKeys } from '../keys/derived-keys.js';
import { KeysModule } from '../keys/keys.module.js';

const PLAIN_STORE = Symbol('the idempotency store of persistence');
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The answer of a registration holds tokens. So answers are kept encrypted (AES-256-GCM, bound to their key):
 * nobody who reads the database can use them. The request's hash is keyed already, by the platform.
 */
@Injectable()
export class SealedIdempotencyStore extends IdempotencyStore {
  constructor(
    @Inject(PLAIN_STORE) private readonly store: IdempotencyStore,
    private readonly keys: DerivedKeys,
  ) {
    super();
  }

  async begin(seed: string, requestHash: string, ttlMs: number, leaseMs: number): Promise<IdempotencyState> {
    const state = await this.store.begin(seed, requestHash, ttlMs, leaseMs);
    return state.state === 'replay' && typeof state.body === 'string'
      ? { ...state, body: this.unseal(state.body, seed) }
      : state;
  }

  renew(seed: string, run: string, leaseMs: number): Promise<void> {
    return this.store.renew(seed, run, leaseMs);
  }

  complete(seed: string, run: string, answer: StoredAnswer): Promise<void> {
    const { body } = answer;
    return this.store.complete(seed, run, {
      ...answer,
      body: typeof body === 'string' ? this.seal(body, seed) : null,
    });
  }

  abandon(seed: string, run: string): Promise<void> {
    return this.store.abandon(seed, run);
  }

  private seal(text: string, seed: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.keys.key('idempotency-answer'), iv).setAAD(
      Buffer.from(seed),
    );
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
  }

  private unseal(text: string, seed: string): string {
    const bytes = Buffer.from(text, 'base64');
    const key = this.keys.key('idempotency-answer');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES))
      .setAAD(Buffer.from(seed))
      .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString(
      'utf8',
    );
  }
}

/** Gives persistence's store another name, so that the sealed one can stand in its place. */
@Module({
  providers: [{ provide: PLAIN_STORE, useExisting: IdempotencyStore }],
  exports: [PLAIN_STORE],
})
class PlainStoreModule {}

/** Import it after persistence: the interceptor takes the last store that the container knows. */
@Module({
  imports: [PlainStoreModule, KeysModule],
  providers: [{ provide: IdempotencyStore, useClass: SealedIdempotencyStore }],
})
export class SealedIdempotencyModule {}
