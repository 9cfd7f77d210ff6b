import { jest } from '@jest/globals';
import { AccessTokenVerifier } from '@atelier/auth';
import { ACCESS_TOKEN_AUDIENCE, ACCESS_TOKEN_ISSUER } from '@atelier/contracts/identity/auth.api';
import { SessionEnded } from '@atelier/contracts/identity/session.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import { type Actor, newId } from '@atelier/kernel';
import { aContext, aVisitor, type ServiceUnderTest } from '@atelier/testing';
import { jwk, PASSWORD, startIdentity } from '../identity.fixture.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { LogInThrottle } from './log-in-throttle.js';
import { RefreshSession } from './refresh-session.usecase.js';

const FAILURES_PER_ACCOUNT_MAX = 3;
const SESSIONS_OPEN_MAX = 3;

const env = {
  LOG_IN_FAILURES_PER_ACCOUNT_MAX: String(FAILURES_PER_ACCOUNT_MAX),
  // Begun in 1970 and not over before 2080: no window turns over within a test.
  LOG_IN_WINDOW_MS: '3500000000000',
  SESSIONS_OPEN_MAX: String(SESSIONS_OPEN_MAX),
};

describe('registration and sessions', () => {
  let identity: ServiceUnderTest;
  let tokens: AccessTokenVerifier;
  beforeAll(async () => {
    identity = await startIdentity(env);
    tokens = new AccessTokenVerifier({
      jwksUrl: `${identity.url}/.well-known/jwks.json`,
      issuer: ACCESS_TOKEN_ISSUER,
      audience: ACCESS_TOKEN_AUDIENCE,
    });
  });
  afterAll(() => identity.close());

  const post = (path: string, body?: unknown, headers?: Record<string, string>) =>
    identity.as(aVisitor).post(`/api/v1/auth/${path}`, body, headers);
  const someone = (name: string = newId('t')) => ({
    email: `${name}@example.org`,
    password: PASSWORD,
    displayName: 'Ada',
  });
  const registered = async () => {
    const person = someone();
    const { status, body } = await post('register', person);
    expect(status).toBe(201);
    return { ...person, ...(body as { user: { id: string }; accessToken: string; refreshToken: string }) };
  };
  const rows = (collection: string, filter: object) =>
    identity.database.connection.collection(collection).find(filter).sort({ _id: 1 }).toArray();
  const actionsOf = async (userId: string) =>
    (await rows('audit_logs', { userId })).map((row) => String(row['action']));

  describe('registering', () => {
    it('answers the user and tokens that the published keys verify', async () => {
      const { status, body, headers } = await post('register', someone('ada'));
      expect(status).toBe(201);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(body).toMatchObject({ user: { email: 'ada@example.org', role: 'user' }, expiresIn: 900 });
      expect(JSON.stringify(body)).not.toContain('password');
      const actor = await tokens.verify(body.accessToken);
      expect(actor).toMatchObject({ kind: 'user', id: body.user.id, role: 'user' });
      const sessions = await rows('user_sessions', { userId: body.user.id });
      expect(sessions.map((row) => String(row._id))).toEqual([actor.sessionId]);
    });

    it('publishes only the public half of the key', async () => {
      const answer = await fetch(`${identity.url}/.well-known/jwks.json`);
      expect(await answer.json()).toEqual({
        keys: [{ kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y, kid: jwk.kid, alg: 'ES256', use: 'sig' }],
      });
    });

    it('stores the address trimmed and lower-cased, and takes it once in any spelling (R141, R574)', async () => {
      const first = await post('register', { ...someone(), email: '  Grace.HOPPER@Example.org ' });
      expect(first.body.user.email).toBe('grace.hopper@example.org');
      const second = await post('register', { ...someone(), email: 'grace.hopper@EXAMPLE.org' });
      expect(second.status).toBe(409);
      expect(second.body.code).toBe('identity.user.email_taken');
    });

    it.each(['no-at-sign', 'a b@example.org', 'a@nodot', ''])(
      'refuses the address "%s" (R154)',
      async (email) => {
        const { status, body } = await post('register', { ...someone(), email });
        expect(status).toBe(400);
        expect(body.errors[0].pointer).toBe('/email');
      },
    );

    it('refuses a password of seven characters, and unknown fields such as a role (R155)', async () => {
      const short = await post('register', { ...someone(), password: 'k7#mQ2x' });
      expect([short.status, short.body.code]).toEqual([400, 'identity.password.too_short']);
      const role = await post('register', { ...someone(), role: 'admin' });
      expect([role.status, role.body.errors[0].pointer]).toEqual([400, '/role']);
    });

    it('lets one of two registrations of one address through', async () => {
      const person = someone();
      const answers = await Promise.all([post('register', person), post('register', person)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
      expect(await rows('users', { email: person.email })).toHaveLength(1);
    });

    it('states the fact with the referral code and a keyed hash of the address, never the address (R486)', async () => {
      const person = { ...someone(), referralCode: 'FRIEND1' };
      const { body } = await post('register', person, { 'x-forwarded-for': '203.0.113.7' });
      const facts = (await identity.facts(UserRegistered)).filter(({ subject }) => subject === body.user.id);
      expect(facts).toHaveLength(1);
      expect(facts[0]!.data).toMatchObject({ email: person.email, referralCode: 'FRIEND1' });
      expect(facts[0]!.data.ipAddressHash).toMatch(/^[\w-]{43}$/);
      expect(JSON.stringify(facts)).not.toContain('203.0.113.7');
    });

    it('repeats its answer for the same Idempotency-Key, and keeps it sealed', async () => {
      const person = someone();
      const key = { 'idempotency-key': newId('t') };
      const first = await post('register', person, key);
      const again = await post('register', person, key);
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(again.body).toEqual(first.body);
      const kept = JSON.stringify(await rows('_idempotency', {}));
      expect(kept).toContain('requestHash');
      expect(kept).not.toContain(first.body.refreshToken);
      expect(kept).not.toContain(first.body.accessToken);
      const other = await post('register', { ...person, displayName: 'Eve' }, key);
      expect([other.status, other.body.code]).toEqual([422, 'platform.idempotency.key_reused']);
    });

    it('keeps no password and no token in any collection', async () => {
      const person = await registered();
      for (const { name } of await identity.database.connection.db!.listCollections().toArray()) {
        const text = JSON.stringify(await rows(name, {}));
        expect(text).not.toContain(PASSWORD);
        expect(text).not.toContain(person.refreshToken);
      }
    });
  });

  describe('signing in', () => {
    it('takes the address in any spelling and counts the log-in (R15)', async () => {
      const { email, user } = await registered();
      const { status, body } = await post('login', { email: email.toUpperCase(), password: PASSWORD });
      expect(status).toBe(200);
      expect(body).toMatchObject({ user: { id: user.id }, expiresIn: 900 });
      const [row] = await rows('users', { email });
      expect(row).toMatchObject({ loginSeq: 1, lastLoginAt: expect.any(Date) });
      expect(await actionsOf(user.id)).toEqual(['user_registered', 'log_in']);
    });

    it('gives a wrong password and an unknown address the same answer', async () => {
      const { email, user } = await registered();
      const wrong = await post('login', { email, password: 'something else' });
      const unknown = await post('login', { email: `${newId('t')}@example.org`, password: PASSWORD });
      expect([wrong.status, unknown.status]).toEqual([401, 401]);
      const told = ({ requestId: _own, ...problem }: Record<string, unknown>) => problem;
      expect(told(wrong.body)).toEqual(told(unknown.body));
      expect(await actionsOf(user.id)).toContain('log_in_failed');
    });

    it('takes every character of a long password into account', async () => {
      const password = 'ночной поезд '.repeat(8).trim();
      const person = { ...someone(), password };
      expect((await post('register', person)).status).toBe(201);
      const close = await post('login', { email: person.email, password: `${password.slice(0, -1)}х` });
      expect(close.status).toBe(401);
      expect((await post('login', { email: person.email, password })).status).toBe(200);
    });

    it('locks an account for a while after too many failures at once, even for the right password', async () => {
      const { email, user } = await registered();
      const guesses = Array.from({ length: FAILURES_PER_ACCOUNT_MAX + 3 }, (_, n) =>
        post('login', { email, password: `guess number ${n}` }),
      );
      const statuses = (await Promise.all(guesses)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(FAILURES_PER_ACCOUNT_MAX);
      expect(statuses.filter((status) => status === 429)).toHaveLength(3);
      const right = await post('login', { email, password: PASSWORD });
      expect([right.status, right.body.code]).toEqual([429, 'identity.login.too_many_attempts']);
      expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await actionsOf(user.id)).filter((action) => action === 'log_in_locked_out')).toHaveLength(1);
    });

    it('counts every one of many attempts that are the first at once', async () => {
      const throttle = identity.app.get(LogInThrottle, { strict: false });
      for (let round = 0; round < 10; round++) {
        const { email } = someone();
        const begin = () => throttle.begin(email, undefined, new Date());
        const begun = await Promise.allSettled(Array.from({ length: FAILURES_PER_ACCOUNT_MAX * 3 }, begin));
        const through = begun.filter(({ status }) => status === 'fulfilled');
        expect(through).toHaveLength(FAILURES_PER_ACCOUNT_MAX);
      }
    });

    it('locks unknown addresses the same way', async () => {
      const email = `${newId('t')}@example.org`;
      for (let n = 0; n < FAILURES_PER_ACCOUNT_MAX; n++) {
        expect((await post('login', { email, password: PASSWORD })).status).toBe(401);
      }
      expect((await post('login', { email, password: PASSWORD })).status).toBe(429);
    });

    it('counts only failures: a success begins anew', async () => {
      const { email } = await registered();
      for (const password of ['wrong one', 'wrong two', PASSWORD, 'wrong three', 'wrong four']) {
        const { status } = await post('login', { email, password });
        expect(status).toBe(password === PASSWORD ? 200 : 401);
      }
      expect((await post('login', { email, password: PASSWORD })).status).toBe(200);
    });

    it('tells a suspended person so, after the right password only', async () => {
      const { email } = await registered();
      await identity.database.connection
        .collection('users')
        .updateOne({ email }, { $set: { accountStatus: 'suspended' }, $inc: { version: 1 } });
      expect((await post('login', { email, password: 'wrong' })).status).toBe(401);
      const { status, body } = await post('login', { email, password: PASSWORD });
      expect([status, body.code]).toEqual([403, 'identity.user.suspended']);
    });
  });

  describe('signing in to an account that is closed meanwhile', () => {
    it.each([
      ['suspended', 403, 'identity.user.suspended'],
      ['pending', 403, 'identity.user.pending'],
      ['deleted', 401, 'identity.login.failed'],
    ])('gives no token and no session once it is %s', async (accountStatus, status, code) => {
      const { email, user } = await registered();
      whenThePasswordIsCompared(() =>
        identity.database.connection
          .collection('users')
          .updateOne({ email }, { $set: { accountStatus }, $inc: { version: 1 } }),
      );
      const answer = await post('login', { email, password: PASSWORD });
      expect(answer).toMatchObject({ status, body: { code } });
      expect(await rows('user_sessions', { userId: user.id })).toHaveLength(1);
      expect(await actionsOf(user.id)).not.toContain('log_in');
    });

    const whenThePasswordIsCompared = (happens: () => Promise<unknown>) => {
      const passwords = identity.app.get(PasswordHasher, { strict: false });
      const verify = passwords.verify.bind(passwords);
      jest.spyOn(passwords, 'verify').mockImplementationOnce(async (plain, stored) => {
        await happens();
        return verify(plain, stored);
      });
    };
  });

  describe('a person with many sessions', () => {
    it('keeps the newest: whoever signs in once more ends the oldest', async () => {
      const { email, user, refreshToken: first } = await registered();
      for (let n = 1; n <= SESSIONS_OPEN_MAX; n++)
        expect((await post('login', { email, password: PASSWORD })).status).toBe(200);
      const open = await rows('user_sessions', { userId: user.id, endedAt: { $exists: false } });
      expect(open).toHaveLength(SESSIONS_OPEN_MAX);
      expect((await post('refresh', { refreshToken: first })).status).toBe(401);
      const ended = (await identity.facts(SessionEnded)).filter(({ data }) => data.userId === user.id);
      expect(ended.map(({ data }) => data.reason)).toEqual(['too_many']);
    });

    it('has no more of them when all log-ins come at once', async () => {
      const { email, user } = await registered();
      const logIns = Array.from({ length: SESSIONS_OPEN_MAX + 3 }, () =>
        post('login', { email, password: PASSWORD }),
      );
      const answers = await Promise.all(logIns);
      const through = answers.filter(({ status }) => status === 200);
      expect(through.length).toBeGreaterThan(0);
      const open = { userId: user.id, endedAt: { $exists: false } };
      expect((await rows('user_sessions', open)).length).toBeLessThanOrEqual(SESSIONS_OPEN_MAX);
    });
  });

  describe('refreshing', () => {
    it('exchanges the token for a new one of the same session', async () => {
      const { accessToken, refreshToken } = await registered();
      const { status, body } = await post('refresh', { refreshToken });
      expect(status).toBe(200);
      expect(body.refreshToken).not.toBe(refreshToken);
      const [before, after] = await Promise.all([
        tokens.verify(accessToken),
        tokens.verify(body.accessToken),
      ]);
      expect(after.sessionId).toBe(before.sessionId);
      expect((await post('refresh', { refreshToken: body.refreshToken })).status).toBe(200);
    });

    it('gives tabs that refresh at once one successor, and goes on', async () => {
      const { refreshToken, user } = await registered();
      // Not by HTTP: on a busy machine the last may come when the first has its answer.
      const refresh = identity.app.get(RefreshSession, { strict: false });
      const answers = await Promise.all([1, 2, 3].map(() => refresh.execute(refreshToken, aContext())));
      const successors = new Set(answers.map((answer) => answer.refreshToken));
      expect(successors.size).toBe(1);
      expect((await post('refresh', { refreshToken: [...successors][0] })).status).toBe(200);
      expect(await actionsOf(user.id)).not.toContain('refresh_reuse');
    });

    it('gives tabs of two replicas one successor, too', async () => {
      const { refreshToken, user } = await registered();
      const one = identity.app.get(RefreshSession, { strict: false });
      // The same but for what it knows of its own requests.
      const other = Object.assign(Object.create(RefreshSession.prototype), one, { exchanges: new Map() });
      const replicas: RefreshSession[] = [one, other as RefreshSession];
      const answers = await Promise.all(replicas.map((each) => each.execute(refreshToken, aContext())));
      expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
      expect(await actionsOf(user.id)).not.toContain('refresh_reuse');
    });

    it('ends the whole family when an exchanged token comes back, and says so', async () => {
      const { refreshToken: stolen, user } = await registered();
      const { body } = await post('refresh', { refreshToken: stolen });
      const reuse = await post('refresh', { refreshToken: stolen });
      expect([reuse.status, reuse.body.code]).toEqual([401, 'identity.session.reuse_detected']);
      const newest = await post('refresh', { refreshToken: body.refreshToken });
      expect([newest.status, newest.body.code]).toEqual([401, 'identity.session.invalid']);
      expect(await actionsOf(user.id)).toContain('refresh_reuse');
      const facts = (await identity.facts(SessionEnded)).filter(({ data }) => data.userId === user.id);
      expect(facts.map(({ data }) => data.reason)).toEqual(['reuse_detected']);
    });

    it('answers a repeat with its key as before, for who lost the answer', async () => {
      const { refreshToken, user } = await registered();
      const headers = { 'idempotency-key': `refresh-${user.id}` };
      const [first, again] = [
        await post('refresh', { refreshToken }, headers),
        await post('refresh', { refreshToken }, headers),
      ];
      expect([again.status, again.body]).toEqual([200, first.body]);
      expect(JSON.stringify(await rows('_idempotency', {}))).not.toContain(first.body.refreshToken);
    });

    it('refuses what is no token of ours', async () => {
      const { refreshToken } = await registered();
      for (const forged of ['x', `${refreshToken}x`, `${'A'.repeat(43)}.${'B'.repeat(43)}`]) {
        const { status, body } = await post('refresh', { refreshToken: forged });
        expect([status, body.code]).toEqual([401, 'identity.session.invalid']);
      }
      expect((await post('refresh', { refreshToken })).status).toBe(200);
    });

    it('ends the session of a person who was suspended meanwhile', async () => {
      const { refreshToken, email, user } = await registered();
      await identity.database.connection
        .collection('users')
        .updateOne({ email }, { $set: { accountStatus: 'suspended' }, $inc: { version: 1 } });
      expect((await post('refresh', { refreshToken })).status).toBe(401);
      const [session] = await rows('user_sessions', { userId: user.id });
      expect(session).toMatchObject({ endReason: 'account_closed' });
    });
  });

  describe('signing out', () => {
    it('ends the session of the refresh token, once', async () => {
      const { refreshToken, user } = await registered();
      expect((await post('logout', { refreshToken })).status).toBe(204);
      expect((await post('logout', { refreshToken })).status).toBe(204);
      expect((await post('refresh', { refreshToken })).body.code).toBe('identity.session.invalid');
      const ended = (await identity.facts(SessionEnded)).filter(({ data }) => data.userId === user.id);
      expect(ended.map(({ data }) => data.reason)).toEqual(['logged_out']);
      expect((await actionsOf(user.id)).filter((action) => action === 'log_out')).toHaveLength(1);
    });

    it('ends the session that asks when no token is sent', async () => {
      const { accessToken, refreshToken } = await registered();
      const actor = await tokens.verify(accessToken);
      expect((await identity.as(actor).post('/api/v1/auth/logout')).status).toBe(204);
      expect((await post('refresh', { refreshToken })).status).toBe(401);
    });

    it("does not end somebody else's session", async () => {
      const { accessToken, refreshToken } = await registered();
      const { sessionId } = await tokens.verify(accessToken);
      const stranger: Actor = { kind: 'user', id: newId('usr'), role: 'user', sessionId };
      expect((await identity.as(stranger).post('/api/v1/auth/logout')).status).toBe(204);
      expect((await post('refresh', { refreshToken })).status).toBe(200);
    });

    it('asks a visitor without any token which session is meant', async () => {
      const { status, body } = await post('logout', {});
      expect([status, body.code]).toEqual([401, 'identity.session.not_named']);
    });
  });
});
