import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DerivedKeys } from '../keys/derived-keys.js';

const SECRET_BYTES = 32;
const FORM = /^([\w-]{43})\.[\w-]{43}$/;

export interface RefreshToken {
  readonly text: string;
  readonly family: string;
  readonly familyHash: string;
  readonly tokenHash: string;
}

/** Refresh tokens: `<family secret>.<token secret>`, 256 random bits each, opaque to everybody else. */
@Injectable()
export class RefreshTokens {
  constructor(private readonly keys: DerivedKeys) {}

  /** The first token of a new family. */
  first(): RefreshToken {
    return describe(secret(), secret());
  }

  /**
   * The token that follows this one. It is computed, by a key that only identity has, so that two tabs which
   * exchange one token at the same time get the same successor although only its hash is stored.
   */
  next(token: RefreshToken): RefreshToken {
    return describe(token.family, this.keys.mac('refresh-token', token.text));
  }

  /** Reads what a client sent; undefined when it was never one of ours. */
  read(text: string): RefreshToken | undefined {
    const family = FORM.exec(text)?.[1];
    return family === undefined ? undefined : describe(family, text.slice(family.length + 1));
  }
}

const secret = (): string => randomBytes(SECRET_BYTES).toString('base64url');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

function describe(family: string, token: string): RefreshToken {
  const text = `${family}.${token}`;
  return { text, family, familyHash: sha256(family), tokenHash: sha256(text) };
}
