import type { IncomingHttpHeaders } from 'node:http';
import { errors, type Dispatcher } from 'undici';
import { DomainError } from '@atelier/kernel';
import { endAnswer } from '../edge/answers.js';
import {
  malformedRequest,
  requestTimeout,
  upstreamBroken,
  upstreamTimeout,
  upstreamUnavailable,
} from '../edge/refusals.js';
import type { Outcome, Passage } from '../upstreams/upstreams.js';
import { appendAnswerHeaders } from './headers.js';
import type { RequestBody } from './request-body.js';
import type { Visit } from './visit.js';

const ATTEMPTS_MAX = 2;
const UNREACHABLE_RETRY_SECONDS = 1;
const FINAL_STATUS_MIN = 200;

/** The connection could not be made: the upstream has not seen the request. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export interface ExchangeOptions {
  readonly dispatch: Dispatcher.DispatchOptions & { readonly body: RequestBody | null };
  /** How long until the answer begins, and how long either side may stand still after that. */
  readonly answerTimeoutMs: number;
  readonly stalledTimeoutMs: number;
  /** Called once, when the place at the upstream is free again. */
  readonly onEnd: () => void;
  /** Answers the visit where the upstream did not. */
  readonly refuse: (visit: Visit, error: unknown) => void;
}

/**
 * One request at an upstream and its answer on the way back, chunk by chunk in both directions; a slow reader
 * slows the upstream down. What fails before the answer begins is answered with a problem; what fails later can
 * only be told by cutting the connection.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private attempts = 0;
  private isAnswering = false;
  private isOver = false;
  private abortReason: Error | undefined;
  private timer: NodeJS.Timeout;

  constructor(
    private readonly visit: Visit,
    private readonly passage: Passage,
    private readonly options: ExchangeOptions,
  ) {
    visit.response.once('close', this.onClientClosed);
    this.timer = setTimeout(this.onTimeout, options.answerTimeoutMs);
  }

  start(): void {
    this.attempts += 1;
    this.passage.pool.dispatch(this.options.dispatch, this);
  }

  /** The client is sending its body: the upstream cannot answer yet. */
  progressed(): void {
    if (!this.isAnswering) this.timer.refresh();
  }

  /** Ends an event stream in good order, so that its client comes back elsewhere. */
  hangUp(): void {
    if (this.isOver) return;
    this.end('answered');
    if (this.isAnswering) this.visit.response.end();
    else
      this.options.refuse(this.visit, upstreamUnavailable(this.passage.upstream, UNREACHABLE_RETRY_SECONDS));
    this.abort(new errors.RequestAbortedError());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.abortReason) controller.abort(this.abortReason);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (statusCode < FINAL_STATUS_MIN || this.isOver) return;
    const { response } = this.visit;
    const answerHeaders = [...this.visit.answerHeaders];
    this.passage.reached();
    appendAnswerHeaders(answerHeaders, headers);
    response.writeHead(statusCode, answerHeaders);
    this.isAnswering = true;
    clearTimeout(this.timer);
    if (this.visit.route.traffic === 'stream') response.flushHeaders();
    else this.timer = setTimeout(this.onTimeout, this.options.stalledTimeoutMs);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isOver) return;
    if (this.visit.route.traffic !== 'stream') this.timer.refresh();
    if (this.visit.response.write(chunk)) return;
    controller.pause();
    if (this.visit.route.traffic === 'stream')
      this.timer = setTimeout(this.onTimeout, this.options.stalledTimeoutMs);
    this.visit.response.once('drain', () => {
      if (this.visit.route.traffic === 'stream') clearTimeout(this.timer);
      else this.timer.refresh();
      controller.resume();
    });
  }

  onResponseEnd(): void {
    if (this.isOver) return;
    this.end('answered');
    endAnswer(this.visit);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.isOver) return;
    if (this.isAnswering) {
      this.end('broken');
      // The headers are out: a connection that breaks is the only honest end.
      this.visit.response.destroy();
      return;
    }
    if (this.mayRepeat(error)) {
      this.start();
      return;
    }
    const [outcome, refusal] = this.failure(error);
    this.end(outcome);
    this.options.refuse(this.visit, refusal);
  }

  /** Reading again is safe; and only while nobody has stopped waiting for the answer. */
  private mayRepeat(error: Error): boolean {
    const { method } = this.visit.request;
    return (
      this.attempts < ATTEMPTS_MAX &&
      this.abortReason === undefined &&
      (method === 'GET' || method === 'HEAD') &&
      !(error instanceof errors.InvalidArgumentError)
    );
  }

  private failure(error: Error): [Outcome, DomainError] {
    const { upstream } = this.passage;
    // What the body was refused for: it came from the client, not from the upstream.
    if (error instanceof DomainError) return ['client_gone', error];
    if (error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError)
      return ['client_gone', malformedRequest()];
    if (NOT_CONNECTED.has(codeOf(error)))
      return ['unreachable', upstreamUnavailable(upstream, UNREACHABLE_RETRY_SECONDS, error)];
    return ['unreachable', upstreamBroken(upstream, error)];
  }

  private readonly onTimeout = (): void => {
    if (this.isOver) return;
    if (this.isAnswering) {
      this.end('broken');
      this.visit.response.destroy();
    } else if (this.isWaitingForClient()) {
      this.end('client_gone');
      this.options.refuse(this.visit, requestTimeout());
    } else {
      this.end('timeout');
      this.options.refuse(this.visit, upstreamTimeout(this.passage.upstream));
    }
    this.abort(new errors.RequestAbortedError());
  };

  /** Bytes that lie here are for the upstream to take: then it is not the client that holds things up. */
  private isWaitingForClient(): boolean {
    const { body } = this.options.dispatch;
    return body !== null && !this.visit.request.complete && body.readableLength === 0;
  }

  private readonly onClientClosed = (): void => {
    if (this.isOver) return;
    this.end('client_gone');
    this.abort(new errors.RequestAbortedError());
  };

  private abort(reason: Error): void {
    this.abortReason = reason;
    this.controller?.abort(reason);
  }

  private end(outcome: Outcome): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.passage.leave(outcome);
    this.options.onEnd();
  }
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');
