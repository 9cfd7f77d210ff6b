import { apps, environmentOf, urlsOf, type Wiring } from './stack.js';

const ledger = apps.find(({ name }) => name === 'ledger')!;
const wiring: Wiring = {
  ...{ mongodbUri: 'mongodb://127.0.0.1/', kafkaBrokers: '127.0.0.1:9092', dataDir: '/tmp', urls: urlsOf() },
  secrets: { actorSecret: 'a', jwtPrivateJwk: {}, sandboxWebhookSecret: 's', dataEncryptionKey: 'd' },
};

describe("an app's environment", () => {
  afterEach(() => delete process.env['MONGODB_DATABASE']);

  it('names no database: each app has its own, whatever the caller has set', () => {
    process.env['MONGODB_DATABASE'] = 'one_for_all';
    expect(environmentOf(ledger, wiring)).not.toHaveProperty('MONGODB_DATABASE');
  });

  it("names one of this run where the MongoDB is somebody else's", () => {
    expect(environmentOf(ledger, { ...wiring, run: 'a1b2' })).toMatchObject({
      MONGODB_DATABASE: 'ledger_a1b2',
    });
  });
});
