import { jest } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createLogger } from '@atelier/observability';
import { gatewayConfig } from '../gateway.config.js';
import { ACTOR_SECRET, portOf, startUpstream } from '../gateway.fixture.js';
import { UPSTREAM_NAMES } from '../routing/routes.js';
import { AggregatedOpenApi } from './aggregated-openapi.js';

describe('the document of all services, while one has not answered yet', () => {
  let server: FastifyInstance;
  let asked = 0;

  beforeAll(async () => {
    server = await startUpstream('catalog', (upstream) => {
      upstream.get('/openapi.json', () => {
        asked += 1;
        return { paths: { '/api/v1/prompts': { get: { responses: {} } } } };
      });
    });
  });
  afterAll(() => server.close());

  it('is kept for a second, so that who asks for it does not multiply, and then made anew', async () => {
    const away = Object.fromEntries(
      UPSTREAM_NAMES.map((name) => [`${name.toUpperCase()}_URL`, 'http://127.0.0.1:1']),
    );
    const config = gatewayConfig.load({
      ...away,
      ACTOR_SECRET,
      OPENAPI_TIMEOUT_MS: '60000',
      CATALOG_URL: `http://127.0.0.1:${portOf(server)}`,
    });
    const openApi = new AggregatedOpenApi(config, createLogger('spec', { level: 'silent' }));
    let nowMs = 1;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    for (let i = 0; i < 3; i++) expect(Object.keys((await openApi.get()).paths)).toEqual(['/api/v1/prompts']);
    expect(asked).toBe(1);
    nowMs += 1_001;
    await openApi.get();
    expect(asked).toBe(2);
    clock.mockRestore();
  });
});
