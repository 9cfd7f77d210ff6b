import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startService, type ServiceUnderTest } from '@atelier/testing';
import { commerceConfig } from '../../commerce.config.js';
import { CommerceModule } from '../../commerce.module.js';
import { describePaymentProvider, type DeliveredWebhook } from '../payment-provider.contract.js';
import { SandboxProvider } from './sandbox.provider.js';

const delivered: DeliveredWebhook[] = [];
let door: Server;
let service: ServiceUnderTest;

/** Our door, which only takes note: what the webhooks do behind it is payments.int.spec.ts's. */
beforeAll(async () => {
  door = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      delivered.push({ rawBody: Buffer.concat(chunks), headers: request.headers as Record<string, string> });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  service = await startService(CommerceModule, commerceConfig, {
    PUBLIC_URL: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    LEDGER_URL: 'http://127.0.0.1:1',
    SANDBOX_WEBHOOK_SECRET: 'a-secret-of-the-tests-for-webhooks',
    SANDBOX_WEBHOOK_TIMEOUT_MS: '60000',
  });
});
afterAll(async () => {
  await service?.close();
  door.close();
  door.closeAllConnections();
});

describePaymentProvider('sandbox', () => {
  const provider = service.app.get(SandboxProvider, { strict: false });
  return {
    provider,
    pay: async (id, how) => {
      await provider.settle(id, how === 'succeeds' ? 'succeeded' : 'failed');
    },
    webhooksOf: (id) => delivered.filter(({ rawBody }) => rawBody.includes(id)),
  };
});
