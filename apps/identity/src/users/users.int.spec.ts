import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { UserRegistered, UserUpdated } from '@atelier/contracts/identity/user.events';
import { type Actor, newId } from '@atelier/kernel';
import { aService, aUser, aVisitor, type ServiceUnderTest } from '@atelier/testing';
import { PASSWORD, startIdentity } from '../identity.fixture.js';
import { SeedDevLogins } from './seed-dev-logins.js';

const logins = {
  admin: { email: 'admin@atelier.example', password: randomBytes(18).toString('base64url') },
  moderator: { email: 'moderator@atelier.example', password: randomBytes(18).toString('base64url') },
};

describe('accounts and the audit log', () => {
  let folder: string;
  let identity: ServiceUnderTest;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atelier-identity-'));
    await writeFile(join(folder, 'dev-logins.json'), JSON.stringify(logins));
    identity = await startIdentity({ DEV_LOGINS_FILE: join(folder, 'dev-logins.json') });
  });
  afterAll(async () => {
    await identity.close();
    await rm(folder, { recursive: true });
  });

  const register = async (): Promise<Actor> => {
    const person = { email: `${newId('t')}@example.org`, password: PASSWORD, displayName: 'Ada' };
    const { status, body } = await identity.as(aVisitor).post('/api/v1/auth/register', person);
    expect(status).toBe(201);
    return { kind: 'user', id: body.user.id, role: 'user' };
  };

  describe('one’s own account', () => {
    it('is answered with its ETag, and changed by whoever has seen the newest version', async () => {
      const me = identity.as(await register());
      const before = await me.get('/api/v1/users/me');
      expect(before.status).toBe(200);
      const etag = before.headers.get('etag')!;
      const change = { displayName: 'Ada Lovelace', preferences: { theme: 'dark' } };
      const after = await me.patch('/api/v1/users/me', change, { 'if-match': etag });
      expect(after.status).toBe(200);
      expect(after.body).toMatchObject({
        displayName: 'Ada Lovelace',
        preferences: { theme: 'dark', language: 'en' },
      });
      expect(after.headers.get('etag')).not.toBe(etag);
      const stale = await me.patch('/api/v1/users/me', { displayName: 'Eve' }, { 'if-match': etag });
      expect([stale.status, stale.body.code]).toEqual([412, 'platform.precondition.failed']);
      const blind = await me.patch('/api/v1/users/me', { displayName: 'Eve' });
      expect(blind.status).toBe(428);
      const facts = (await identity.facts(UserUpdated)).filter(({ data }) => data.userId === before.body.id);
      expect(facts.map(({ data }) => data.displayName)).toEqual(['Ada Lovelace']);
    });

    it.each([
      [{ role: 'admin' }, '/role'],
      [{ email: 'new@example.org' }, '/email'],
      [{ displayName: '   ' }, '/displayName'],
      [{ displayName: 42 }, '/displayName'],
      [{ preferences: { timezone: 'Mars/Olympus' } }, '/preferences/timezone'],
      [
        { preferences: { notifications: { email: { gossip: true } } } },
        '/preferences/notifications/email/gossip',
      ],
    ])('refuses %j', async (change, pointer) => {
      const me = identity.as(await register());
      const { status, body } = await me.patch('/api/v1/users/me', change, { 'if-match': '"v1"' });
      expect([status, body.errors?.[0]?.pointer]).toEqual([400, pointer]);
    });

    it('needs somebody who is signed in, and one who exists', async () => {
      expect((await identity.as(aVisitor).get('/api/v1/users/me')).status).toBe(401);
      expect((await identity.as(aUser()).get('/api/v1/users/me')).status).toBe(404);
      expect((await identity.as(aService('commerce')).get('/api/v1/users/me')).status).toBe(404);
    });
  });

  describe('development log-ins', () => {
    it('are made once, with their roles and facts', async () => {
      await identity.app.get(SeedDevLogins, { strict: false }).onApplicationBootstrap();
      const seeded = (await identity.facts(UserRegistered)).filter(({ data }) =>
        data.email?.endsWith('@atelier.example'),
      );
      expect(seeded.map(({ data }) => [data.email, data.role]).sort()).toEqual([
        ['admin@atelier.example', 'admin'],
        ['moderator@atelier.example', 'moderator'],
      ]);
    });

    it('sign in with the password of the file', async () => {
      const { status, body } = await identity.as(aVisitor).post('/api/v1/auth/login', logins.admin);
      expect([status, body.user?.role]).toEqual([200, 'admin']);
    });

    it('of another file are said not to work in a database that has their addresses', async () => {
      const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
      const file = join(folder, 'dev-logins.json');
      const clone = { ...logins, admin: { ...logins.admin, password: 'of-another-clone' } };
      await writeFile(file, JSON.stringify(clone));
      await identity.app.get(SeedDevLogins, { strict: false }).onApplicationBootstrap();
      await writeFile(file, JSON.stringify(logins));
      const said = warned.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('log-in'));
      warned.mockRestore();
      expect(said).toHaveLength(1);
      expect(said[0]).toContain('role admin');
      expect(said[0]).toContain(file);
      expect(said[0]).toContain(identity.database.connection.name);
    });
  });

  describe('the audit log', () => {
    it('shows admins everybody’s events, newest first, page by page, with the IP address (R455, R458)', async () => {
      const admin = identity.as(aUser('admin'));
      const person = { email: `${newId('t')}@example.org`, password: PASSWORD, displayName: 'Ada' };
      const from = { 'x-forwarded-for': '198.51.100.23' };
      const { body } = await identity.as(aVisitor).post('/api/v1/auth/register', person, from);
      const list = `/api/v1/audit?userId=${String(body.user.id)}&limit=1`;
      const login = { email: person.email, password: PASSWORD };
      await identity.as(aVisitor).post('/api/v1/auth/login', login, from);
      const first = await admin.get(list);
      expect(first.status).toBe(200);
      expect(first.body.items).toMatchObject([
        { action: 'log_in', eventType: 'login', ipAddress: '198.51.100.23' },
      ]);
      const second = await admin.get(`${list}&cursor=${String(first.body.nextCursor)}`);
      expect(second.body).toMatchObject({ items: [{ action: 'user_registered' }], nextCursor: null });
    });

    it('notes log-ins of admins as such (R456)', async () => {
      await identity.as(aVisitor).post('/api/v1/auth/login', logins.admin);
      const { body } = await identity.as(aUser('admin')).get('/api/v1/audit?action=admin_login&limit=1');
      expect(body.items).toHaveLength(1);
    });

    it('shows others only what concerns them', async () => {
      const [ada, eve] = [await register(), await register()];
      for (const role of ['user', 'moderator'] as const) {
        expect((await identity.as(aUser(role)).get('/api/v1/audit')).status).toBe(403);
      }
      const own = await identity.as(ada).get('/api/v1/users/me/audit');
      expect(own.body.items).toMatchObject([{ action: 'user_registered', userId: ada.id }]);
      expect(JSON.stringify(own.body)).not.toContain(eve.id);
    });
  });
});
