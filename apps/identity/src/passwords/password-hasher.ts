import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/bcrypt';
import { DomainError } from '@atelier/kernel';
import { gauge } from '@atelier/observability';
import { type ConfigOf, InjectConfig } from '@atelier/service';
import { identityConfig } from '../identity.config.js';
import { normalizePassword } from './password.domain.js';

const RETRY_AFTER_SECONDS = 2;

const waitingGauge = gauge('atelier_password_hashes_waiting', 'Passwords that wait for a hashing thread.');

/**
 * Bcrypt off the event loop, few at a time: each takes a core for a quarter of a second, and the threads are also
 * those of files and DNS. Bcrypt reads only 72 bytes and stops at a NUL, so it gets a fixed-length digest of the
 * password instead: every character of a long one counts.
 */
@Injectable()
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  /** Of no account: a log-in to an unknown address does the same work as any other. */
  private readonly nobody: Promise<string>;

  constructor(@InjectConfig(identityConfig) private readonly config: ConfigOf<typeof identityConfig>) {
    this.nobody = this.hash(randomBytes(16).toString('base64'));
    // It is awaited at the first unknown address; until then a failure has no one to tell.
    this.nobody.catch(() => undefined);
  }

  /** Throws unavailable `identity.password.busy` when too many wait already. */
  hash(plain: string): Promise<string> {
    return this.limited(() => hash(digestOf(plain), this.config.PASSWORD_HASH_COST));
  }

  /** Whether the password is the one of this hash; without a hash always false, after the same work. */
  async verify(plain: string, stored: string | undefined): Promise<boolean> {
    const encoded = stored ?? (await this.nobody);
    const matches = await this.limited(() => verify(digestOf(plain), encoded));
    return matches && stored !== undefined;
  }

  private async limited<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private async enter(): Promise<void> {
    if (this.running < this.config.PASSWORD_HASHES_RUNNING_MAX) {
      this.running++;
      return;
    }
    if (this.waiting.length >= this.config.PASSWORD_HASHES_WAITING_MAX) throw busy();
    // Whoever leaves hands its place over.
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      waitingGauge.set(this.waiting.length);
    });
  }

  private leave(): void {
    const next = this.waiting.shift();
    waitingGauge.set(this.waiting.length);
    if (next) next();
    else this.running--;
  }
}

/** 64 characters of base64. The key only separates these digests from other SHA-384 of passwords. */
const digestOf = (plain: string): string =>
  createHmac('sha384', 'atelier.identity.password.v1').update(normalizePassword(plain)).digest('base64');

const busy = () =>
  new DomainError({
    kind: 'unavailable',
    code: 'identity.password.busy',
    detail: 'Too many people are signing in right now. Nothing was changed; try again in a moment.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
