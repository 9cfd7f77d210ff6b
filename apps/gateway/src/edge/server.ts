import type { FastifyInstance } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { serveDocsPage } from '../documents/docs-page.js';
import { Forwarder } from '../forwarding/forwarder.js';
import { gatewayConfig, type GatewayConfig } from '../gateway.config.js';
import { routerEntries } from '../routing/routes.js';
import { API_CONTENT_POLICY } from '../forwarding/headers.js';
import { SECURITY_HEADERS } from './answers.js';
import { Cors } from './cors.js';

/** Puts the forwarding routes beside the gateway's own pages, on the same server. */
export async function configureServer(app: NestFastifyApplication): Promise<void> {
  const config = app.get<GatewayConfig>(gatewayConfig.token);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.server.maxConnections = config.CONNECTIONS_MAX;
  addHeadersOfOwnAnswers(fastify, app.get(Cors));
  await serveDocsPage(fastify);
  await fastify.register((scope, _options, done) => {
    routeForwarded(scope, app.get(Forwarder));
    routePreflights(scope, app.get(Cors));
    done();
  });
}

function routeForwarded(scope: FastifyInstance, forwarder: Forwarder): void {
  // Bodies are not parsed here: whatever they are, they flow on.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
  for (const { url, methods, route } of routerEntries())
    scope.route({
      method: [...methods],
      url,
      exposeHeadRoute: false,
      handler: (request, reply) => {
        // Told to the access log, for which a long stream is no slow request.
        if (route.traffic === 'stream') reply.header('content-type', 'text/event-stream');
        forwarder.forward(route, request, reply);
      },
    });
}

function routePreflights(scope: FastifyInstance, cors: Cors): void {
  scope.options('/api/v1/*', (request, reply) => {
    const fields = cors.preflightHeaders(request.headers.origin);
    for (let i = 0; i < fields.length; i += 2) reply.header(fields[i]!, fields[i + 1]);
    return reply.status(204).send();
  });
}

/** For what is not forwarded: documents, health, unknown paths. */
function addHeadersOfOwnAnswers(fastify: FastifyInstance, cors: Cors): void {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const fields = [...SECURITY_HEADERS, ...cors.headers(request.headers.origin)];
    for (let i = 0; i < fields.length; i += 2) reply.header(fields[i]!, fields[i + 1]);
    if (!reply.hasHeader('content-security-policy'))
      reply.header('content-security-policy', API_CONTENT_POLICY);
    done(null, payload);
  });
}
