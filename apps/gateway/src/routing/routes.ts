export const UPSTREAM_NAMES = [
  'identity',
  'catalog',
  'commerce',
  'ledger',
  'studio',
  'analytics',
  'notifications',
] as const;
export type UpstreamName = (typeof UPSTREAM_NAMES)[number];

/**
 * `signed_in`: needs a valid access token. `optional`: a token that is sent must be valid, and without one the
 * caller is anonymous. `anonymous`: a token is not even read, so that an expired one cannot keep a client from
 * logging in. What a caller may do with a resource is decided by the service, never here.
 */
export type Access = 'signed_in' | 'optional' | 'anonymous';

/** Decides the body limit and the time-outs. */
export type Traffic = 'json' | 'upload' | 'stream';

/** `auth` and `webhook` count by address, `api` by user, or by address for anonymous callers. */
export type RateClass = 'api' | 'auth' | 'webhook';

export const METHODS = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'] as const;
export type Method = (typeof METHODS)[number];
const READ: readonly Method[] = ['GET', 'HEAD'];

export interface Route {
  /** `/a/b` alone, `/a/:id` with one free segment, or `/a/*`: `/a` and everything below it. */
  readonly path: string;
  readonly methods: readonly Method[];
  readonly upstream: UpstreamName;
  readonly access: Access;
  readonly traffic: Traffic;
  readonly rate: RateClass;
}

type Rule = Partial<Pick<Route, 'methods' | 'access' | 'traffic' | 'rate'>>;

const DEFAULT_RULE = { methods: METHODS, access: 'signed_in', traffic: 'json', rate: 'api' } as const;
const BASE = '/api/v1/';

const to = (upstream: UpstreamName, path: string, rule: Rule = {}): Route => ({
  ...DEFAULT_RULE,
  ...rule,
  upstream,
  path: BASE + path,
});
const all = (upstream: UpstreamName, paths: readonly string[], rule: Rule = {}): Route[] =>
  paths.map((path) => to(upstream, path, rule));

const LOG_IN: Rule = { access: 'anonymous', rate: 'auth' };
const READ_BY_ANYBODY: Rule = { methods: READ, access: 'optional' };
const FROM_PROVIDERS: Rule = { access: 'anonymous', rate: 'webhook' };

/**
 * Everything that can be reached through the gateway. The most specific path wins, whatever the order; a path
 * that is not here does not exist, `internal/*`, `metrics` and `health` of the services among them.
 */
export const ROUTES: readonly Route[] = [
  ...all('identity', ['auth/register', 'auth/login', 'auth/refresh'], LOG_IN),
  to('identity', 'auth/*', { access: 'optional', rate: 'auth' }),
  ...all('identity', ['users/*', 'organizations/*', 'teams/*', 'api-keys/*', 'audit/*']),
  to('identity', 'config/*', READ_BY_ANYBODY),
  {
    ...DEFAULT_RULE,
    ...READ_BY_ANYBODY,
    access: 'anonymous',
    upstream: 'identity',
    path: '/.well-known/jwks.json',
  },

  ...all('catalog', ['prompts/*', 'ideas/*', 'projects/*', 'vault/*', 'reviews/*', 'apps/*', 'agents/*']),
  to('catalog', 'prompts/:id', READ_BY_ANYBODY),
  ...all('catalog', ['gallery/*', 'tools/*'], { access: 'optional' }),

  to('commerce', 'marketplace/*'),
  to('commerce', 'marketplace/listings/*', READ_BY_ANYBODY),
  to('commerce', 'billing/credit-packages/*', READ_BY_ANYBODY),
  ...all('commerce', [
    'billing/checkouts/*',
    'billing/payments/*',
    'billing/subscriptions/*',
    'billing/invoices/*',
  ]),
  to('commerce', 'shop/*', { access: 'optional' }),
  ...all(
    'commerce',
    ['webhooks/stripe', 'webhooks/paddle', 'webhooks/polar', 'webhooks/sandbox'],
    FROM_PROVIDERS,
  ),
  to('commerce', 'sandbox/*', { access: 'anonymous' }),

  ...all('ledger', [
    'billing/credits/*',
    'billing/credit-transactions/*',
    'billing/holds/*',
    'billing/earnings/*',
    'billing/transactions/*',
    'billing/payout-methods/*',
    'billing/payout-requests/*',
    'billing/vouchers/*',
    'billing/referrals/*',
    'billing/adjustments/*',
    'billing/tax-reports/*',
  ]),

  to('studio', 'images/*'),
  to('studio', 'images', { methods: ['POST'], traffic: 'upload' }),
  to('studio', 'jobs/*'),
  to('studio', 'jobs/:id/events', { methods: ['GET'], traffic: 'stream' }),
  ...all('studio', ['pipelines/*', 'albums/*', 'boxes/*', 'chats/*', 'personas/*', 'agent-sessions/*']),
  ...all('studio', ['files/*', 'audio/*'], { traffic: 'upload' }),

  ...all('analytics', [
    'analytics/*',
    'metrics/*',
    'rewards/*',
    'achievements/*',
    'leaderboards/*',
    'campaigns/*',
  ]),

  ...all('notifications', ['notifications/*', 'webhooks/*']),
  to('notifications', 'forms/*', { access: 'optional' }),
];

export interface RouterEntry {
  readonly url: string;
  readonly methods: readonly Method[];
  readonly route: Route;
}

/** The table in the router's spelling, where `/a/*` is two entries. `/a` alone wins over the first of them. */
export function routerEntries(): RouterEntry[] {
  const taken = new Set<string>();
  const isPrefix = ({ path }: Route) => path.endsWith('/*');
  return [...ROUTES.filter((route) => !isPrefix(route)), ...ROUTES.filter(isPrefix)].flatMap((route) => {
    const urls = isPrefix(route) ? [route.path.slice(0, -2), route.path] : [route.path];
    return urls.map((url) => {
      const methods = route.methods.filter((method) => !taken.has(`${method} ${url}`));
      for (const method of methods) taken.add(`${method} ${url}`);
      return { url, methods, route };
    });
  });
}

/** The route of a path, for documents; requests are routed by the server's router over the same table. */
export function findRoute(method: string, path: string): Route | undefined {
  const segments = path.split('/');
  return ROUTES.filter((route) => (route.methods as readonly string[]).includes(method))
    .filter((route) => matches(route.path.split('/'), segments))
    .sort((a, b) => specificity(b.path).localeCompare(specificity(a.path)))[0];
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  const isPrefix = pattern.at(-1) === '*';
  const fixed = isPrefix ? pattern.slice(0, -1) : pattern;
  if (isPrefix ? segments.length < fixed.length : segments.length !== fixed.length) return false;
  return fixed.every((part, index) => part.startsWith(':') || part === segments[index]);
}

/** One digit per segment, so that texts compare as the router prefers: the end, fixed, free, then the rest. */
const specificity = (path: string): string =>
  [...path.split('/'), ...(path.endsWith('/*') ? [] : ['/'])]
    .map((part) => (part === '*' ? '0' : part.startsWith(':') ? '1' : part === '/' ? '3' : '2'))
    .join('');
