import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { replay } from './replay-command.js';

describe('a replay whose app ends while it rebuilds', () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer((request) => request.socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  it('says that the call broke off, and not that nobody was there', async () => {
    const asked = replay(['ledger.view-rewards'], {
      env: {},
      urls: () => ({ ledger: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
      actorSecret: () => 'a-secret-of-thirty-two-characters',
      print: () => undefined,
    });
    await expect(asked).rejects.toThrow('The call of ledger broke off');
  });
});
