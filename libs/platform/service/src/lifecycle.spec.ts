import { Controller, Get, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { Public, ACTOR_HEADER, ActorSigner } from '@atelier/auth';
import { Clock } from '@atelier/kernel';
import { createLogger } from '@atelier/observability';
import { ConfigError, defineConfig, InjectConfig, ServiceConfig, type ConfigOf } from './config.js';
import { createService } from './create-service.js';
import { HealthRegistry } from './health.js';
import { MessagingTransport } from './messaging-transport.js';
import { ShutdownSequence } from './shutdown.js';

const ACTOR_SECRET = 'a-secret-of-at-least-thirty-two-bytes!';
const env = { PORT: '0', ACTOR_SECRET, LOG_LEVEL: 'silent', DRAIN_TIMEOUT_MS: '60000' };

describe('defineConfig', () => {
  const config = defineConfig('spec', {
    LEASE_MS: z.coerce.number().int().min(1),
    MONGODB_URI: z.string().startsWith('mongodb://'),
    PORT: z.coerce.number().int().default(8083),
  });

  it('lists every problem at once, by variable, and never prints a value', () => {
    const load = () =>
      config.load({ LEASE_MS: 'hunter2', ACTOR_SECRET: 'hunter2', MONGODB_URI: '', NODE_ENV: 'hunter2' });
    expect(load).toThrow(ConfigError);
    try {
      load();
    } catch (error) {
      const { message, problems } = error as ConfigError;
      expect(problems).toHaveLength(4);
      for (const variable of [
        'LEASE_MS is invalid',
        'ACTOR_SECRET is invalid',
        'MONGODB_URI is missing',
        'NODE_ENV is invalid',
      ])
        expect(message).toContain(variable);
      expect(message).not.toContain('hunter2');
    }
  });

  it("gives typed values with defaults, the app's own before the platform's", () => {
    const values: ConfigOf<typeof config> = config.load({
      LEASE_MS: '5',
      MONGODB_URI: 'mongodb://x',
      ACTOR_SECRET,
    });
    expect(values).toMatchObject({
      LEASE_MS: 5,
      PORT: 8083,
      DRAIN_TIMEOUT_MS: 10_000,
      BODY_BYTES_MAX: 1_048_576,
    });
    expect(Object.isFrozen(values)).toBe(true);
  });
});

describe('ShutdownSequence', () => {
  it('stops stage after stage in its fixed order, past a step that fails or hangs', async () => {
    const stopped: string[] = [];
    const sequence = new ShutdownSequence(createLogger('spec', { level: 'silent' }), 50);
    for (const stage of ['database', 'jobs', 'relay', 'consumers'] as const)
      sequence.add(stage, stage, () => void stopped.push(stage));
    sequence.add('consumers', 'failing', () => Promise.reject(new Error('boom')));
    sequence.add('relay', 'hanging', () => new Promise<void>(() => undefined));
    await sequence.run();
    await sequence.run();
    expect(stopped).toEqual(['consumers', 'relay', 'jobs', 'database']);
  });
});

describe('a running service', () => {
  const order: string[] = [];
  let entered: () => void = () => undefined;
  let finish: () => void = () => undefined;

  @Injectable()
  class SpecTransport extends MessagingTransport {
    listen(callback: () => void): void {
      order.push('transport listens');
      callback();
    }
    async close(): Promise<void> {
      if (!order.includes('consumers')) order.push('consumers');
    }
    on(): void {}
    unwrap<T>(): T {
      return undefined as T;
    }
  }

  const config = defineConfig('spec', { GREETING: z.string().default('hello') });

  @Controller('api/v1/spec')
  class SpecController implements OnModuleInit {
    constructor(
      @InjectConfig(config) private readonly values: ConfigOf<typeof config>,
      private readonly all: ServiceConfig,
      private readonly clock: Clock,
    ) {}

    @Get()
    @Public()
    read() {
      return {
        greeting: this.values.GREETING,
        name: this.all.SERVICE_NAME,
        now: this.clock.now().toISOString(),
      };
    }

    @Get('slow')
    @Public()
    async slow() {
      entered();
      await new Promise<void>((resolve) => (finish = resolve));
      order.push('request answered');
      return {};
    }

    onModuleInit() {
      order.push('modules start');
    }
  }

  @Module({
    controllers: [SpecController],
    providers: [{ provide: MessagingTransport, useClass: SpecTransport }],
  })
  class SpecModule {}

  const fixed = new Date('2026-01-02T03:04:05Z');
  const overrides = [{ provide: Clock, useValue: { now: () => fixed } }];
  const get = async (url: string, path: string) => {
    const actor = await new ActorSigner(ACTOR_SECRET).sign({ kind: 'anonymous', id: 'anonymous' });
    const response = await fetch(`${url}/${path}`, { headers: { [ACTOR_HEADER]: actor } });
    return {
      status: response.status,
      body: (await response.json()) as Record<string, Record<string, unknown>>,
    };
  };

  it('injects its config and what a test replaces', async () => {
    const service = await createService(SpecModule, config, env, { overrides });
    expect((await get(service.url, 'api/v1/spec')).body).toEqual({
      greeting: 'hello',
      name: 'spec',
      now: fixed.toISOString(),
    });
    await service.close();
  });

  it('says who is not ready and why, and stays alive meanwhile', async () => {
    const service = await createService(SpecModule, config, env);
    const health = service.app.get(HealthRegistry);
    expect((await get(service.url, 'health/ready')).status).toBe(200);
    health.add('kafka', async () => ({ up: false, reason: 'no broker answers' }));
    health.add('cache', async () => ({ up: false, reason: 'cold' }), { readiness: false });
    const ready = await get(service.url, 'health/ready');
    expect(ready.status).toBe(503);
    expect(ready.body.error).toMatchObject({ kafka: { status: 'down', message: 'no broker answers' } });
    expect(ready.body.error).not.toHaveProperty('cache');
    expect((await get(service.url, 'health/live')).status).toBe(200);
    expect((await get(service.url, 'health/startup')).status).toBe(200);
    await service.close();
  });

  it('lets requests in flight finish before consumers, relay, jobs and database stop', async () => {
    order.length = 0;
    const service = await createService(SpecModule, config, env);
    const sequence = service.app.get(ShutdownSequence);
    for (const stage of ['database', 'relay', 'jobs'] as const)
      sequence.add(stage, stage, () => void order.push(stage));
    const inHandler = new Promise<void>((resolve) => (entered = resolve));
    const request = get(service.url, 'api/v1/spec/slow');
    await inHandler;
    const closed = service.close();
    expect(service.app.get(HealthRegistry).draining).toBe(true);
    await expect(get(service.url, 'health/live')).rejects.toThrow('fetch failed');
    finish();
    expect((await request).status).toBe(200);
    await closed;
    expect(order).toEqual([
      'modules start',
      'transport listens',
      'request answered',
      'consumers',
      'relay',
      'jobs',
      'database',
    ]);
  });

  it('cuts requests that outlast the drain time', async () => {
    const service = await createService(SpecModule, config, { ...env, DRAIN_TIMEOUT_MS: '50' });
    const inHandler = new Promise<void>((resolve) => (entered = resolve));
    const request = get(service.url, 'api/v1/spec/slow').catch((error: Error) => error.message);
    await inHandler;
    await service.close();
    expect(await request).toBe('fetch failed');
    finish();
  });
});
