import { randomBytes } from 'node:crypto';
import { ACTOR_HEADER, ActorSigner } from '@atelier/auth';
import { SessionEnded } from '@atelier/contracts/identity/session.events';
import { UserDeleted, UserUpdated } from '@atelier/contracts/identity/user.events';
import { type Actor, newId, type PlatformRole } from '@atelier/kernel';
import { aUser, aVisitor, type ServiceUnderTest } from '@atelier/testing';
import { PASSWORD, startIdentity } from '../identity.fixture.js';

const FAILURES_PER_ACCOUNT_MAX = 2;
const ACTOR_SECRET = randomBytes(32).toString('base64url');
const signer = new ActorSigner(ACTOR_SECRET);
const ME = '/api/v1/users/me';

let identity: ServiceUnderTest;
beforeAll(async () => {
  identity = await startIdentity({
    ACTOR_SECRET,
    LOG_IN_FAILURES_PER_ACCOUNT_MAX: String(FAILURES_PER_ACCOUNT_MAX),
    // Begun in 1970 and not over before 2080: no window turns over within a test.
    LOG_IN_WINDOW_MS: '3500000000000',
  });
});
afterAll(() => identity.close());

const rows = (collection: string, filter: object) =>
  identity.database.connection.collection(collection).find(filter).toArray();
const auth = (path: string, body: object) =>
  identity.as(aVisitor).post(`/api/v1/auth/${path}`, body, { 'x-forwarded-for': '203.0.113.9' });

async function register() {
  const person = { email: `${newId('t')}@example.org`, password: PASSWORD, displayName: 'Ada Lovelace' };
  const { status, body } = await auth('register', person);
  expect(status).toBe(201);
  const actor: Actor = { kind: 'user', id: body.user.id as string, role: 'user' };
  const [session] = await rows('user_sessions', { userId: actor.id });
  return {
    ...person,
    actor,
    id: actor.id,
    refreshToken: body.refreshToken as string,
    sessionId: String(session!._id),
  };
}

/** The client of the tests sends no body with a DELETE. */
async function deleteOwn(actor: Actor, body?: object, headers: Record<string, string> = {}) {
  const answer = await fetch(identity.url + ME, {
    method: 'DELETE',
    headers: {
      [ACTOR_HEADER]: await signer.sign(actor),
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, code: text ? (JSON.parse(text) as { code: string }).code : undefined };
}
const factsOf = async (id: string) =>
  (await identity.facts(UserDeleted)).filter(({ subject }) => subject === id);

describe('deleting one’s own account', () => {
  it('leaves a tombstone that tells nothing about the person, and states so without personal data', async () => {
    const ada = await register();
    expect(await deleteOwn(ada.actor, { password: PASSWORD })).toEqual({ status: 204, code: undefined });
    const [row] = await rows('users', { _id: ada.id });
    expect(row).toMatchObject({ accountStatus: 'deleted', displayName: '', deletedBy: ada.id });
    const kept = ['_id', 'accountStatus', 'authMethod', 'createdAt', 'deletedAt', 'deletedBy', 'displayName'];
    const settings = ['loginSeq', 'preferences', 'referralCount', 'role', 'security', 'updatedAt', 'version'];
    expect(Object.keys(row!).sort()).toEqual([...kept, ...settings].sort());
    const [fact, ...others] = await factsOf(ada.id);
    expect(others).toEqual([]);
    expect(fact!.data).toEqual({
      userId: ada.id,
      deletedAt: (row!['deletedAt'] as Date).toISOString(),
      deletedBy: ada.id,
    });
    const told = (await identity.facts(UserUpdated)).filter(({ subject }) => subject === ada.id);
    expect(told.map(({ data }) => [data.accountStatus, data.email, data.displayName])).toEqual([
      ['deleted', null, ''],
    ]);
  });

  it('refuses log-in and refresh from then on, and answers no account', async () => {
    const ada = await register();
    await deleteOwn(ada.actor, { password: PASSWORD });
    const refresh = await auth('refresh', { refreshToken: ada.refreshToken });
    expect([refresh.status, refresh.body.code]).toEqual([401, 'identity.session.invalid']);
    const login = await auth('login', { email: ada.email, password: PASSWORD });
    expect([login.status, login.body.code]).toEqual([401, 'identity.login.failed']);
    expect((await identity.as(ada.actor).get(ME)).status).toBe(404);
    const change = await identity.as(ada.actor).patch(ME, { displayName: 'Eve' }, { 'if-match': '"v2"' });
    expect(change.status).toBe(404);
  });

  it('ends every session and forgets its devices, once however often the fact is told (R226)', async () => {
    const ada = await register();
    await auth('login', { email: ada.email, password: PASSWORD });
    await deleteOwn(ada.actor, { password: PASSWORD });
    const [fact] = await factsOf(ada.id);
    await identity.redeliver(fact!);
    const sessions = await rows('user_sessions', { userId: ada.id });
    expect(sessions.map((session) => session['endReason'])).toEqual(['account_closed', 'account_closed']);
    expect(JSON.stringify(sessions)).not.toContain('203.0.113.9');
    const ended = (await identity.facts(SessionEnded)).filter(({ data }) => data.userId === ada.id);
    expect(ended.map(({ data }) => data.reason)).toEqual(['account_closed', 'account_closed']);
  });

  it('frees the e-mail address for a new account with another id', async () => {
    const ada = await register();
    await deleteOwn(ada.actor, { password: PASSWORD });
    const { email, password, displayName } = ada;
    const again = await auth('register', { email, password, displayName });
    expect(again.status).toBe(201);
    expect(again.body.user.id).not.toBe(ada.id);
  });

  it('is recorded once, with who did it, and a repeat is no error (R543)', async () => {
    const ada = await register();
    await deleteOwn(ada.actor, { password: PASSWORD });
    expect((await deleteOwn(ada.actor, { password: PASSWORD })).status).toBe(204);
    const records = await rows('audit_logs', { action: 'user_delete', targetId: ada.id });
    expect(records).toMatchObject([{ actor: `user:${ada.id}`, severity: 'high', metadata: { by: 'owner' } }]);
    expect(await factsOf(ada.id)).toHaveLength(1);
  });

  it('needs the password, which cannot be guessed here', async () => {
    const ada = await register();
    expect(await deleteOwn(ada.actor)).toEqual({ status: 403, code: 'identity.user.confirmation_required' });
    for (let i = 0; i < FAILURES_PER_ACCOUNT_MAX; i++) {
      const wrong = await deleteOwn(ada.actor, { password: `wrong-${i}` });
      expect(wrong).toEqual({ status: 403, code: 'identity.user.confirmation_wrong' });
    }
    const locked = await deleteOwn(ada.actor, { password: PASSWORD });
    expect(locked).toEqual({ status: 429, code: 'identity.login.too_many_attempts' });
    expect(await rows('users', { _id: ada.id })).toMatchObject([
      { email: ada.email, accountStatus: 'active' },
    ]);
    expect(await rows('audit_logs', { userId: ada.id, action: 'log_in_failed' })).toHaveLength(2);
    expect(await rows('audit_logs', { userId: ada.id, action: 'log_in_locked_out' })).toHaveLength(1);
  });

  it('needs no password in a session that began just now, and only in one’s own', async () => {
    const [ada, eve] = [await register(), await register()];
    const borrowed = await deleteOwn({ ...ada.actor, sessionId: eve.sessionId });
    expect(borrowed.code).toBe('identity.user.confirmation_required');
    const aged = { createdAt: new Date(Date.now() - 86_400_000) };
    const sessions = identity.database.connection.collection<{ _id: string }>('user_sessions');
    await sessions.updateOne({ _id: eve.sessionId }, { $set: aged });
    const old = await deleteOwn({ ...eve.actor, sessionId: eve.sessionId });
    expect(old.code).toBe('identity.user.confirmation_required');
    expect((await deleteOwn({ ...ada.actor, sessionId: ada.sessionId })).status).toBe(204);
  });

  it('heeds If-Match when it is sent', async () => {
    const ada = await register();
    const stale = await deleteOwn(ada.actor, { password: PASSWORD }, { 'if-match': '"v99"' });
    expect(stale).toEqual({ status: 412, code: 'platform.precondition.failed' });
    const etag = (await identity.as(ada.actor).get(ME)).headers.get('etag')!;
    expect((await deleteOwn(ada.actor, { password: PASSWORD }, { 'if-match': etag })).status).toBe(204);
  });
});

describe('deleting somebody’s account', () => {
  const remove = (by: Actor, id: string) => identity.as(by).delete(`/api/v1/users/${id}`);

  it('is for admins, needs no password, and is recorded (R543)', async () => {
    const [ada, admin] = [await register(), aUser('admin')];
    for (const role of ['user', 'moderator'] as const)
      expect((await remove(aUser(role), ada.id)).status).toBe(403);
    expect((await remove(aVisitor, ada.id)).status).toBe(401);
    expect((await remove(admin, ada.id)).status).toBe(204);
    expect((await remove(admin, ada.id)).status).toBe(204);
    expect(await rows('users', { _id: ada.id })).toMatchObject([
      { accountStatus: 'deleted', deletedBy: admin.id },
    ]);
    const records = await rows('audit_logs', { action: 'user_delete', targetId: ada.id });
    expect(records).toMatchObject([{ actor: `user:${admin.id}`, userId: ada.id, metadata: { by: 'admin' } }]);
    expect((await factsOf(ada.id)).map(({ data }) => data.deletedBy)).toEqual([admin.id]);
  });

  it('is refused for one’s own account, for a higher role, and for nobody', async () => {
    const ada = await register();
    const users = identity.database.connection.collection<{ _id: string }>('users');
    const promote = (role: PlatformRole) => users.updateOne({ _id: ada.id }, { $set: { role } });
    const code = async (by: Actor, id: string) => (await remove(by, id)).body.code as string;
    expect(await code({ ...ada.actor, role: 'admin' }, ada.id)).toBe('identity.user.own');
    await promote('super_admin');
    expect(await code(aUser('admin'), ada.id)).toBe('identity.user.higher_role');
    expect(await code(aUser('admin'), newId('usr'))).toBe('identity.user.not_found');
    expect((await remove(aUser('super_admin'), ada.id)).status).toBe(204);
  });
});
