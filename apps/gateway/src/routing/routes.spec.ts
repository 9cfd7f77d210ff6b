import { findRoute, routerEntries, ROUTES } from './routes.js';

describe('the route table', () => {
  it('has each path and method once', () => {
    const keys = ROUTES.flatMap(({ path, methods }) => methods.map((method) => `${method} ${path}`));
    expect(new Set(keys).size).toBe(keys.length);
    const entries = routerEntries().flatMap(({ url, methods }) =>
      methods.map((method) => `${method} ${url}`),
    );
    expect(new Set(entries).size).toBe(entries.length);
  });

  it('forwards nothing outside the public paths', () => {
    for (const { path } of ROUTES) expect(path).toMatch(/^\/(api\/v1\/[a-z]|\.well-known\/jwks\.json$)/);
  });

  it.each([
    ['POST', '/api/v1/auth/login', 'identity', 'anonymous', 'auth', 'json'],
    ['POST', '/api/v1/auth/logout', 'identity', 'optional', 'auth', 'json'],
    ['GET', '/api/v1/prompts', 'catalog', 'signed_in', 'api', 'json'],
    ['GET', '/api/v1/prompts/{id}', 'catalog', 'optional', 'api', 'json'],
    ['PATCH', '/api/v1/prompts/{id}', 'catalog', 'signed_in', 'api', 'json'],
    ['GET', '/api/v1/marketplace/listings', 'commerce', 'optional', 'api', 'json'],
    ['POST', '/api/v1/marketplace/listings/{id}/submit', 'commerce', 'signed_in', 'api', 'json'],
    ['POST', '/api/v1/webhooks/sandbox', 'commerce', 'anonymous', 'webhook', 'json'],
    ['POST', '/api/v1/webhooks', 'notifications', 'signed_in', 'api', 'json'],
    ['POST', '/api/v1/images', 'studio', 'signed_in', 'api', 'upload'],
    ['POST', '/api/v1/images/{id}/enhancements', 'studio', 'signed_in', 'api', 'json'],
    ['GET', '/api/v1/jobs/{id}/events', 'studio', 'signed_in', 'api', 'stream'],
    ['GET', '/api/v1/billing/credits', 'ledger', 'signed_in', 'api', 'json'],
    ['GET', '/api/v1/billing/payments/{id}', 'commerce', 'signed_in', 'api', 'json'],
  ])('sends %s %s to %s as %s', (method, path, upstream, access, rate, traffic) => {
    expect(findRoute(method, path)).toMatchObject({ upstream, access, rate, traffic });
  });

  it('knows no route for what is not in it', () => {
    for (const path of ['/internal/holds', '/api/v1/promptsx', '/api/v1', '/metrics', '/health/ready'])
      expect(findRoute('GET', path)).toBeUndefined();
  });
});
