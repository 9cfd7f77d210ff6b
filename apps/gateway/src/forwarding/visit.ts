import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Route } from '../routing/routes.js';

/** One request at the gateway, and the answer that it will get. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly route: Route;
  /** The client's own address. */
  readonly address: string;
  /** What any answer to this request carries, as name, value, name, value …; steps on the way add to it. */
  readonly answerHeaders: string[];
}
