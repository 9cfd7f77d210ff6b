import { Injectable } from '@nestjs/common';
import { ACTOR_HEADER, ActorSigner } from '@atelier/auth';
import { DomainError, type Actor } from '@atelier/kernel';
import { counter, gauge, Logger } from '@atelier/observability';
import { HealthRegistry, InjectConfig } from '@atelier/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Callers } from '../access/callers.js';
import { ClientAddresses, networkOf } from '../access/client-addresses.js';
import { answerProblem, SECURITY_HEADERS } from '../edge/answers.js';
import { Cors } from '../edge/cors.js';
import { bodyTooLarge, malformedPath, overloaded } from '../edge/refusals.js';
import { gatewayConfig, type GatewayConfig } from '../gateway.config.js';
import { RateLimits } from '../limits/rate-limits.js';
import type { Route, Traffic } from '../routing/routes.js';
import { Upstreams } from '../upstreams/upstreams.js';
import { Exchange } from './exchange.js';
import { addTrace, forwardedHeaders } from './headers.js';
import { discardBody, RequestBody } from './request-body.js';
import type { Visit } from './visit.js';

/** At least; of an upload all that it may be. */
const DISCARDED_BYTES_MIN = 16 * 1_048_576;
const DISCARD_TIMEOUT_MS = 3_000;
const BODY_METHODS = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * What could make an upstream read another path than the gateway routed by: dot segments, empty segments,
 * backslashes, encoded separators and control characters.
 */
const MISLEADING_PATH = /\/(?:\.|%2e){1,2}(?:\/|$)|\/\/|\\|%(?:2f|5c|[01][0-9a-f]|7f)/i;

/** The way of a request through the gateway: who calls, how often, how much, and then on to its upstream. */
@Injectable()
export class Forwarder {
  private readonly addresses: ClientAddresses;
  private readonly limitsOf: Readonly<Record<Traffic, { bodyBytesMax: number; answerTimeoutMs: number }>>;
  private readonly streams = new Set<Exchange>();
  private readonly inFlightGauge = gauge('atelier_gateway_in_flight_requests', 'Requests at upstreams now.');
  private readonly refusals = counter(
    'atelier_gateway_refusals_total',
    'Requests that the gateway refused.',
    ['code'],
  );
  private inFlight = 0;

  constructor(
    @InjectConfig(gatewayConfig) private readonly config: GatewayConfig,
    private readonly callers: Callers,
    private readonly limits: RateLimits,
    private readonly signer: ActorSigner,
    private readonly upstreams: Upstreams,
    private readonly cors: Cors,
    private readonly health: HealthRegistry,
    private readonly logger: Logger,
  ) {
    this.addresses = new ClientAddresses(config.TRUSTED_PROXIES);
    const json = { bodyBytesMax: config.BODY_BYTES_MAX, answerTimeoutMs: config.UPSTREAM_TIMEOUT_MS };
    const upload = { bodyBytesMax: config.UPLOAD_BYTES_MAX, answerTimeoutMs: config.UPLOAD_TIMEOUT_MS };
    this.limitsOf = { json, upload, stream: json };
    // Streams would hold up the drain until its time is over; their clients reconnect.
    health.whenDraining(() => {
      for (const stream of this.streams) stream.hangUp();
    });
  }

  /** Takes a request out of the server's hands. Every way out of here ends the answer. */
  forward(route: Route, { raw: request, id: requestId }: FastifyRequest, reply: FastifyReply): void {
    reply.hijack();
    const visit: Visit = {
      request,
      response: reply.raw,
      requestId,
      route,
      address: this.addresses.of(request),
      answerHeaders: [
        ...SECURITY_HEADERS,
        'x-request-id',
        requestId,
        ...this.cors.headers(request.headers.origin),
      ],
    };
    if (this.health.draining) visit.answerHeaders.push('connection', 'close');
    this.admit(visit).catch((error: unknown) => this.refuse(visit, error));
  }

  private async admit(visit: Visit): Promise<void> {
    const { request, route } = visit;
    this.shed(route);
    checkPath(request.url ?? '');
    const network = networkOf(visit.address);
    const actor = await this.identify(visit, network);
    const counted = route.rate === 'api' && actor.kind === 'user' ? actor.id : network;
    this.limits.take(route.rate, counted, visit.answerHeaders);
    const { bodyBytesMax } = this.limitsOf[route.traffic];
    if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) throw bodyTooLarge(bodyBytesMax);
    const actorHeader = await this.signer.sign(actor);
    // The client may have left in the meantime.
    if (!visit.response.destroyed) this.send(visit, actorHeader);
  }

  /** Who fails to prove who they are is counted by network: there is no user to count by. */
  private async identify({ request, route, answerHeaders }: Visit, network: string): Promise<Actor> {
    try {
      return await this.callers.identify(route.access, request.headers.authorization, network);
    } catch (error) {
      if (error instanceof DomainError && error.kind === 'unauthenticated')
        this.limits.take('api', network, answerHeaders);
      throw error;
    }
  }

  private send(visit: Visit, actorHeader: string): void {
    const { request, route, requestId } = visit;
    const { bodyBytesMax, answerTimeoutMs } = this.limitsOf[route.traffic];
    const headers = forwardedHeaders(request.headers);
    headers.push(ACTOR_HEADER, actorHeader, 'x-forwarded-for', visit.address);
    headers.push('x-forwarded-proto', this.addresses.protocolOf(request));
    addTrace(headers, request.headers, requestId);
    const length = request.headers['content-length'];
    const isChunked = request.headers['transfer-encoding'] !== undefined;
    const hasBody =
      BODY_METHODS.has(request.method ?? '') && (isChunked || (length !== undefined && length !== '0'));
    if (hasBody && length !== undefined) headers.push('content-length', length);

    // Others may have been let in while this caller was checked.
    this.shed(route);
    const passage = this.upstreams.named(route.upstream).reserve(route.traffic);
    const body = hasBody ? new RequestBody(request, bodyBytesMax, () => exchange.progressed()) : null;
    const exchange: Exchange = new Exchange(visit, passage, {
      dispatch: { path: request.url ?? '/', method: request.method ?? 'GET', headers, body },
      answerTimeoutMs,
      stalledTimeoutMs: this.config.STALLED_BODY_TIMEOUT_MS,
      onEnd: () => {
        // It would pause the client again, and keep what is left of the body from being taken in.
        body?.destroy();
        this.ended(visit, exchange);
      },
      refuse: this.refuse,
    });
    this.inFlightGauge.set((this.inFlight += 1));
    if (route.traffic === 'stream') this.streams.add(exchange);
    exchange.start();
  }

  /** Under overload a quick refusal is worth more to everybody than a late answer. */
  private shed({ traffic }: Route): void {
    const isFull = this.inFlight - this.streams.size >= this.config.IN_FLIGHT_MAX;
    if (traffic === 'stream' ? this.health.draining : isFull) throw overloaded();
  }

  private ended(visit: Visit, exchange: Exchange): void {
    this.inFlightGauge.set((this.inFlight -= 1));
    this.streams.delete(exchange);
    this.discard(visit);
  }

  private discard({ request, route }: Visit): void {
    const { bodyBytesMax } = this.limitsOf[route.traffic];
    discardBody(request, Math.max(DISCARDED_BYTES_MIN, bodyBytesMax), DISCARD_TIMEOUT_MS);
  }

  private readonly refuse = (visit: Visit, error: unknown): void => {
    const { response, requestId, route } = visit;
    this.refusals.inc({ code: error instanceof DomainError ? error.code : 'platform.internal' });
    if (!(error instanceof DomainError))
      this.logger.error({ err: error, requestId, route: route.path }, 'a request failed in the gateway');
    else if (error.status >= 500 && error.cause)
      this.logger.warn({ err: error.cause, requestId, upstream: route.upstream }, error.code);
    if (response.destroyed || response.headersSent) return;
    answerProblem(visit, error);
    this.discard(visit);
  };
}

function checkPath(url: string): void {
  const query = url.indexOf('?');
  if (!url.startsWith('/') || MISLEADING_PATH.test(query < 0 ? url : url.slice(0, query)))
    throw malformedPath();
}
