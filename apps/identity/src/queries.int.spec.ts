import { auditLogView } from '@atelier/contracts/identity/audit.api';
import { authView } from '@atelier/contracts/identity/auth.api';
import { userView } from '@atelier/contracts/identity/users.api';
import { VoucherCreated } from '@atelier/contracts/ledger/voucher.events';
import { exampleEnvelope, newId, type Actor } from '@atelier/kernel';
import { pageOf } from '@atelier/service';
import { aUser, aVisitor, recordQueries, walk, type ServiceUnderTest } from '@atelier/testing';
import { PASSWORD, startIdentity } from './identity.fixture.js';

const AUTH = '/api/v1/auth';
const ME = '/api/v1/users/me';
const AUDIT = '/api/v1/audit';
const admin = aUser('admin');

let identity: ServiceUnderTest;
beforeAll(async () => {
  identity = await startIdentity({ SESSIONS_OPEN_MAX: '2' });
});
afterAll(() => identity?.close());

/** Everything that identity asks its database, with nothing left out: a new route or reaction fails here first. */
describe('what identity asks its database', () => {
  it('is asked by every reaction and every route, and always finds an index (issue 5)', async () => {
    const { call, expectNothingLeftOut } = walk(identity);
    const audits = pageOf(auditLogView);
    // Not recorded: a list of everything has no filter. It is sorted by an index; the embedded database sorts.
    await call(admin, 'GET', `${AUDIT}?limit=1`);
    const indexes = await identity.database.connection.collection('audit_logs').indexes();
    expect(indexes.map(({ key }) => key)).toContainEqual({ createdAt: -1, _id: -1 });
    const queries = recordQueries(identity.database);

    const register = async () => {
      const person = { email: `${newId('t')}@example.org`, password: PASSWORD, displayName: 'Ada' };
      const { user, refreshToken } = await call(aVisitor, 'POST', `${AUTH}/register`, {
        body: person,
        headers: { 'x-forwarded-for': '203.0.113.9' },
        view: authView,
      });
      const [session] = await identity.database.connection
        .collection('user_sessions')
        .find({ userId: user.id })
        .toArray();
      const actor: Actor = { kind: 'user', id: user.id, role: 'user', sessionId: String(session!._id) };
      return { ...person, actor, refreshToken: refreshToken as string };
    };
    const [ada, eve] = [await register(), await register()];
    const login = { email: ada.email, password: PASSWORD };
    for (const _ of [1, 2]) await call(aVisitor, 'POST', `${AUTH}/login`, { body: login, view: authView });
    const wrong = { ...login, password: 'another one' };
    const refused = await identity.as(aVisitor).post(`${AUTH}/login`, wrong);
    expect(refused.status).toBe(401);
    const { refreshToken } = eve;
    const next = await call(aVisitor, 'POST', `${AUTH}/refresh`, { body: { refreshToken }, view: authView });
    await call(eve.actor, 'GET', ME, { view: userView });
    const etag = (await identity.as(eve.actor).get(ME)).headers.get('etag')!;
    const change = { body: { displayName: 'Eve' }, headers: { 'if-match': etag }, view: userView };
    await call(eve.actor, 'PATCH', ME, change);
    for (const list of [
      `${ME}/audit?limit=1`,
      `${AUDIT}?limit=1&userId=${ada.actor.id}`,
      `${AUDIT}?limit=1&action=user_registered`,
      `${AUDIT}?limit=1&severity=low`,
      `${AUDIT}?limit=1&targetId=${newId('ses')}`,
    ]) {
      const asker = list.startsWith(ME) ? ada.actor : admin;
      const { nextCursor } = await call(asker, 'GET', list, { view: audits });
      if (nextCursor) await call(asker, 'GET', `${list}&cursor=${String(nextCursor)}`);
    }
    await call(aVisitor, 'POST', `${AUTH}/logout`, { body: { refreshToken: next.refreshToken } });
    await call((await register()).actor, 'DELETE', ME);
    await call(admin, 'DELETE', `/api/v1/users/<${ada.actor.id}>`);
    await identity.publish(exampleEnvelope(VoucherCreated));

    await expectNothingLeftOut();
    await queries.expectEveryQueryToUseAnIndex();
  });
});
