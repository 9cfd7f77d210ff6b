import type { FastifyInstance } from 'fastify';

/** Which methods each path takes, so that a wrong method is told from an unknown path. */
export class RouteTable {
  private readonly routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  /** Learns every route that is registered from now on. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ url, method }) => {
      const route = this.routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
      for (const name of Array.isArray(method) ? method : [method]) route.methods.add(name);
      this.routes.set(url, route);
    });
  }

  methodsOf(url: string): string[] {
    const path = url.split('?', 1)[0] ?? '/';
    const found = new Set<string>();
    for (const { pattern, methods } of this.routes.values())
      if (pattern.test(path)) for (const method of methods) found.add(method);
    return [...found].sort();
  }
}

/** Fastify's `/prompts/:id` as an expression. Catch-all routes say nothing about a path, so they match none. */
function patternOf(url: string): RegExp {
  if (url.includes('*')) return /^(?!)/;
  const segments = url
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${segments.join('/')}/?$`);
}
