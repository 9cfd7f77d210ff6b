import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { payoutAccount, type PayoutAccount } from '@atelier/contracts/ledger/payout-methods.api';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const CODES = 1_000_000;

/**
 * Account details encrypted with AES-256-GCM and bound to their payout method: who reads the database cannot use
 * them, and who can write to it cannot move them to another method.
 */
export class AccountSeal {
  private readonly key: Buffer;

  constructor(keyBase64: string) {
    this.key = Buffer.from(keyBase64, 'base64');
  }

  seal(methodId: string, account: PayoutAccount): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.derive('account'), iv).setAAD(Buffer.from(methodId));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(account), 'utf8'), cipher.final()]);
    return `${methodId}.${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`;
  }

  /** Throws when it was changed, or sealed with another key. */
  open(sealed: string): PayoutAccount {
    const [methodId, text] = sealed.split('.', 2) as [string, string];
    const bytes = Buffer.from(text, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.derive('account'), bytes.subarray(0, IV_BYTES))
      .setAAD(Buffer.from(methodId))
      .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const opened = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
    return payoutAccount.parse(JSON.parse(Buffer.concat(opened).toString('utf8')));
  }

  /** The six digits that prove who reads the account's statement; they are kept nowhere. */
  code(methodId: string): string {
    const digest = createHmac('sha256', this.derive('code')).update(methodId).digest();
    return String(digest.readUInt32BE(0) % CODES).padStart(6, '0');
  }

  private derive(purpose: string): Buffer {
    return createHmac('sha256', this.key).update(purpose).digest();
  }
}
