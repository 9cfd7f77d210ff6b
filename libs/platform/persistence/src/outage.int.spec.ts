import { Controller, Get, Module } from '@nestjs/common';
import { OutsideGateway } from '@atelier/auth';
import { createService, defineConfig } from '@atelier/service';
import { aDatabaseName, infrastructure, startTcpProxy } from '@atelier/testing';
import { Database, persistenceEnvironment } from './database.js';
import { PersistenceModule } from './persistence.module.js';

@OutsideGateway()
@Controller('counted')
class CountedController {
  constructor(private readonly database: Database) {}

  @Get()
  async read() {
    return { count: await this.database.connection.collection('things').countDocuments() };
  }
}

@Module({ imports: [PersistenceModule.forRoot({ database: 'shop' })], controllers: [CountedController] })
class CountedModule {}

describe('a route whose database is away', () => {
  it('answers 503 with Retry-After, and nothing of the database', async () => {
    const { hostname, port } = new URL(infrastructure().mongodbUri);
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const service = await createService(CountedModule, defineConfig('shop', persistenceEnvironment), {
      PORT: '0',
      LOG_LEVEL: 'fatal',
      ACTOR_SECRET: 'a-secret-of-at-least-thirty-two-bytes!',
      MONGODB_DATABASE: aDatabaseName('shop'),
      // Direct, or the driver would find its own way around the proxy.
      MONGODB_URI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
    });
    const read = () => fetch(`${service.url}/counted`);
    expect(await (await read()).json()).toEqual({ count: 0 });
    proxy.cut();
    const answer = await read();
    const text = await answer.text();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect(JSON.parse(text)).toMatchObject({ code: 'platform.database.unavailable' });
    expect(text).not.toMatch(new RegExp(`Mongo|ECONN|${proxy.port}`));
    proxy.restore();
    await service.app.get(Database).connection.dropDatabase();
    await service.close();
    await proxy.close();
  });
});
