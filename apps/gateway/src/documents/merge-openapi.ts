import { isDeepStrictEqual } from 'node:util';
import type { OpenAPIObject } from '@nestjs/swagger';
import { PROBLEM_RESPONSE, PROBLEM_SCHEMAS } from '@atelier/service';
import { findRoute, type Access, type UpstreamName } from '../routing/routes.js';

type Json = Record<string, unknown>;

/** What is read of a service's own OpenAPI document. */
export interface ServiceDocument {
  readonly paths?: Readonly<Record<string, Json>>;
  readonly components?: Readonly<Record<string, Json>>;
}

const COMPONENTS = '#/components/';
const BEARER = 'bearer';

/** One document of all services: routes that the gateway does not forward are left out. */
export function mergeOpenApi(documents: ReadonlyMap<UpstreamName, ServiceDocument>): OpenAPIObject {
  const components: Record<string, Json> = { schemas: { ...PROBLEM_SCHEMAS } };
  const paths: Record<string, Json> = {};
  for (const [service, document] of documents) {
    const renamed = addComponents(components, service, document.components ?? {});
    for (const [path, item] of Object.entries(document.paths ?? {})) {
      const operations = forwardedOperations(service, path, item);
      if (operations) paths[path] = { ...paths[path], ...(renameReferences(operations, renamed) as Json) };
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Atelier',
      version: '1',
      description: 'Every public route of the platform. Errors are problem+json (RFC 9457).',
    },
    servers: [{ url: '/' }],
    tags: [...documents.keys()].map((name) => ({ name })),
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      ...components,
      securitySchemes: { [BEARER]: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  } as unknown as OpenAPIObject;
}

const SECURITY: Readonly<Record<Access, readonly Json[]>> = {
  signed_in: [{ [BEARER]: [] }],
  optional: [{}, { [BEARER]: [] }],
  anonymous: [],
};

function forwardedOperations(service: UpstreamName, path: string, item: Json): Json | undefined {
  const operations: Json = {};
  for (const [method, operation] of Object.entries(item)) {
    const route = findRoute(method.toUpperCase(), path);
    if (route?.upstream !== service) continue;
    const { tags, responses, operationId, ...rest } = operation as Json;
    operations[method] = {
      ...rest,
      ...(typeof operationId === 'string' ? { operationId: `${service}_${operationId}` } : {}),
      tags: Array.isArray(tags) && tags.length > 0 ? (tags as unknown[]) : [service],
      security: SECURITY[route.access],
      responses: { ...(responses as Json), default: PROBLEM_RESPONSE },
    };
  }
  return Object.keys(operations).length > 0 ? { ...shared(item), ...operations } : undefined;
}

/** Members of a path item that hold for all of its operations. */
const shared = ({ parameters }: Json): Json => (parameters === undefined ? {} : { parameters });

/** Adds a service's components. A name that another one has taken for something else is prefixed. */
function addComponents(
  components: Record<string, Json>,
  service: UpstreamName,
  own: Readonly<Record<string, Json>>,
): Map<string, string> {
  const renamed = new Map<string, string>();
  const added = Object.entries(own).filter(([kind]) => kind !== 'securitySchemes');
  for (const [kind, entries] of added)
    for (const [name, value] of Object.entries(entries)) {
      const taken = components[kind]?.[name];
      if (taken === undefined || isDeepStrictEqual(taken, value)) continue;
      renamed.set(`${COMPONENTS}${kind}/${name}`, `${COMPONENTS}${kind}/${service}_${name}`);
    }
  for (const [kind, entries] of added)
    for (const [name, value] of Object.entries(entries)) {
      const isRenamed = renamed.has(`${COMPONENTS}${kind}/${name}`);
      const target = (components[kind] ??= {});
      target[isRenamed ? `${service}_${name}` : name] = renameReferences(value, renamed);
    }
  return renamed;
}

function renameReferences(value: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (renamed.size === 0) return value;
  if (typeof value === 'string') return renamed.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => renameReferences(item, renamed));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, renameReferences(item, renamed)]),
  );
}
