import { defineConfig } from '@atelier/service';
import { gatewayConfig } from './gateway.config.js';
import { ACTOR_SECRET } from './gateway.fixture.js';

/** Node looks for late requests only so often (connectionsCheckingInterval). */
const CHECKED_EVERY_MS = 30_000;

describe('an upload that is slow', () => {
  it('is given up by the gateway before the service behind it does, which would be told as its fault', () => {
    const env = { ACTOR_SECRET, PORT: '0' };
    const service = defineConfig('spec', {}).load(env).REQUEST_TIMEOUT_MS;
    expect(gatewayConfig.load(env).REQUEST_TIMEOUT_MS + CHECKED_EVERY_MS).toBeLessThan(service);
  });
});
