import mongoose, { Schema, type Connection } from 'mongoose';
import { failureOf, startFixture, type Fixture } from './fixture.js';

interface Order {
  number: string;
  buyer: mongoose.Types.ObjectId;
  lines: { sku: string; quantity: number }[];
  total: mongoose.Types.Decimal128;
  version: number;
}

describe('mongoose', () => {
  let fixture: Fixture;
  let connection: Connection;
  beforeAll(async () => {
    fixture = await startFixture();
    connection = await mongoose
      .createConnection(fixture.uri, { dbName: fixture.db.databaseName })
      .asPromise();
  });
  afterAll(async () => {
    await connection.close();
    await fixture.end();
  });

  const models = (suffix: string) => {
    const buyer = new Schema({ name: String });
    const order = new Schema<Order>(
      {
        number: { type: String, required: true, unique: true },
        buyer: { type: Schema.Types.ObjectId, ref: `Buyer${suffix}` },
        lines: [{ _id: false, sku: String, quantity: Number }],
        total: Schema.Types.Decimal128,
      },
      { timestamps: true, optimisticConcurrency: true, versionKey: 'version' },
    );
    return {
      Buyer: connection.model(`Buyer${suffix}`, buyer),
      Order: connection.model<Order>(`Order${suffix}`, order),
    };
  };

  it('builds the indexes of a schema once, and finds nothing to change the second time', async () => {
    const { Order } = models('A');
    await Order.init();
    expect((await Order.listIndexes()).map(({ name }) => name)).toEqual(['_id_', 'number_1']);
    expect(await Order.diffIndexes()).toEqual({ toCreate: [], toDrop: [] });
  });

  it('saves, populates, and refuses a save over a newer version', async () => {
    const { Buyer, Order } = models('B');
    const buyer = await Buyer.create({ name: 'Ada' });
    const total = mongoose.Types.Decimal128.fromString('12.30');
    const made = await Order.create({
      number: '1',
      buyer: buyer._id,
      lines: [{ sku: 'x', quantity: 2 }],
      total,
    });
    const found = await Order.findById(made._id).populate<{ buyer: { name: string } }>('buyer').orFail();
    expect([found.buyer.name, String(found.total), found.lines[0]?.quantity]).toEqual(['Ada', '12.30', 2]);
    const [one, two] = [await Order.findById(made._id).orFail(), await Order.findById(made._id).orFail()];
    one.number = '2';
    await one.save();
    two.number = '3';
    await expect(two.save()).rejects.toThrow(mongoose.Error.VersionError);
  });

  it('is told which unique field was taken', async () => {
    const { Order } = models('C');
    await Order.init();
    await Order.create({ number: '1' });
    expect(await failureOf(() => Order.create({ number: '1' }))).toMatchObject({
      code: 11000,
      keyPattern: { number: 1 },
    });
  });

  it('runs transactions, and retries them on conflict', async () => {
    const { Order } = models('D');
    await Order.init();
    await Order.create({ number: '1', lines: [{ sku: 'x', quantity: 0 }] });
    const raise = () =>
      connection.transaction(async (session) => {
        const order = await Order.findOne({ number: '1' }).session(session).orFail();
        const [line] = order.lines;
        if (line) line.quantity += 1;
        await order.save();
      });
    await Promise.all([raise(), raise(), raise(), raise()]);
    expect((await Order.findOne({ number: '1' }).orFail()).lines[0]?.quantity).toBe(4);
  });

  it('streams a query with a cursor', async () => {
    const { Order } = models('E');
    await Order.insertMany(Array.from({ length: 60 }, (_, n) => ({ number: String(n) })));
    let seen = 0;
    for await (const order of Order.find().sort({ number: 1 }).cursor({ batchSize: 7 })) if (order) seen += 1;
    expect(seen).toBe(60);
  });
});
