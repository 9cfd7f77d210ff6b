import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { placeHoldRequest, type HoldView, type PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';

/**
 * The ledger's side of the holds contract for studio's integration specs: another app cannot be imported, and the
 * real one is met in `apps/e2e`. It keeps the contract's rules: a repeat answers the same hold, short credits 402.
 */
export interface LedgerFixture {
  readonly url: string;
  readonly holds: readonly PlaceHoldRequest[];
  /** Credits that may still be held. */
  available: number;
  /** Answers every call with 503. */
  down: boolean;
  close(): Promise<void>;
}

const UNTIL = '2099-01-01T00:00:00.000Z';

export async function startLedgerFixture(available: number): Promise<LedgerFixture> {
  const holds = new Map<string, PlaceHoldRequest>();
  const server = createServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = placeHoldRequest.safeParse(JSON.parse(await textOf(request)));
    if (fixture.down) return send(response, 503, { code: 'ledger.down', detail: 'down' });
    if (request.url !== '/internal/holds' || !body.success || !request.headers['x-atelier-actor'])
      return send(response, 400, { code: 'platform.request.invalid', detail: 'breaks the contract' });
    const hold = body.data;
    if (!holds.has(hold.holdId)) {
      if (hold.amount > fixture.available)
        return send(response, 402, {
          code: 'ledger.credits.insufficient',
          detail: `This needs ${hold.amount} credits.`,
          available: fixture.available,
          held: 0,
          required: hold.amount,
        });
      fixture.available -= hold.amount;
      holds.set(hold.holdId, hold);
    }
    const { holdId, userId, amount } = hold;
    const view: HoldView = { holdId, userId, amount, capturedAmount: 0, status: 'held', expiresAt: UNTIL };
    send(response, 201, view);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fixture: LedgerFixture = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get holds() {
      return [...holds.values()];
    },
    available,
    down: false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fixture;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function send(response: ServerResponse, status: number, body: object): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}
