import { SignJWT } from 'jose';
import type { Actor } from '@atelier/kernel';
import { ActorSigner, ActorVerifier } from './actor-header.js';

const secret = 'a-secret-of-at-least-thirty-two-bytes!';
const actor: Actor = {
  kind: 'user',
  id: 'usr_1',
  role: 'moderator',
  scopes: ['prompts:read'],
  sessionId: 'ses_1',
};
const code = (name: string) => expect.objectContaining({ code: name, status: 401 });

describe('the actor header', () => {
  it('brings the actor over as it was', async () => {
    const header = await new ActorSigner(secret).sign(actor);
    const verifier = new ActorVerifier(secret);
    await expect(verifier.verify(header)).resolves.toEqual(actor);
    await expect(verifier.verify(header)).resolves.toEqual(actor);
  });

  it('is signed once for an actor within a short time, and apart for each actor', async () => {
    const signer = new ActorSigner(secret);
    expect(signer.sign(actor)).toBe(signer.sign({ ...actor }));
    expect(await signer.sign(actor)).not.toBe(await signer.sign({ ...actor, role: 'admin' }));
  });

  it('is refused when a single part of it was changed', async () => {
    const header = await new ActorSigner(secret).sign(actor);
    const [head, payload, signature] = header.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { actor: Actor };
    const forged = Buffer.from(JSON.stringify({ ...claims, actor: { ...actor, role: 'super_admin' } }));
    const verifier = new ActorVerifier(secret);
    for (const text of [
      `${head}.${forged.toString('base64url')}.${signature}`,
      `${head}.${payload}.`,
      'x',
      '..',
    ])
      await expect(verifier.verify(text)).rejects.toEqual(code('platform.actor.invalid'));
  });

  it('is refused when it is signed with another secret, or not at all', async () => {
    const other = await new ActorSigner('another-secret-of-thirty-two-bytes-or-so').sign(actor);
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${other.split('.')[1]}.`;
    const verifier = new ActorVerifier(secret);
    await expect(verifier.verify(other)).rejects.toEqual(code('platform.actor.invalid'));
    await expect(verifier.verify(none)).rejects.toEqual(code('platform.actor.invalid'));
  });

  it('is refused when it has expired', async () => {
    const header = await tokenWith({ actor }, Math.floor(Date.now() / 1000) - 60);
    await expect(new ActorVerifier(secret).verify(header)).rejects.toEqual(code('platform.actor.expired'));
  });

  it('is refused when it holds no valid actor', async () => {
    const header = await tokenWith({ actor: { kind: 'root', id: 'x' } }, Math.floor(Date.now() / 1000) + 60);
    await expect(new ActorVerifier(secret).verify(header)).rejects.toEqual(code('platform.actor.invalid'));
  });

  it('does not work with a short secret', () => {
    expect(() => new ActorSigner('short')).toThrow('32 bytes');
  });
});

function tokenWith(claims: Record<string, unknown>, expiresAt: number): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('gateway')
    .setAudience('atelier')
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(secret));
}
