import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { placeHoldRequest, type PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';

/** The ledger's side of holds over real HTTP: idempotent by id, 402 when credits are short, and it can be away. */
export class Ledger {
  readonly holds = new Map<string, PlaceHoldRequest>();
  readonly poor = new Set<string>();
  away = false;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const [status, body] = this.answer(
          placeHoldRequest.parse(JSON.parse(Buffer.concat(chunks).toString())),
        );
        const type = status === 201 ? 'application/json' : 'application/problem+json';
        response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(hold: PlaceHoldRequest): [number, object] {
    if (this.away) return [503, { code: 'platform.request.unavailable', detail: 'Away.' }];
    const { holdId, userId, amount } = hold;
    if (this.poor.has(userId)) {
      const extra = { available: 3, held: 0, required: amount };
      return [
        402,
        { status: 402, code: 'ledger.credits.insufficient', detail: 'Not enough credits.', ...extra },
      ];
    }
    this.holds.set(holdId, hold);
    const expiresAt = '2099-01-01T00:00:00.000Z';
    return [201, { holdId, userId, amount, capturedAmount: 0, status: 'held', expiresAt }];
  }
}
