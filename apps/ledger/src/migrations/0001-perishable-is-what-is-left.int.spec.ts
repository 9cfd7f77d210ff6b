import { newId } from '@atelier/kernel';
import { startService, type ServiceUnderTest } from '@atelier/testing';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { perishableIsWhatIsLeftMigration } from './0001-perishable-is-what-is-left.migration.js';

let ledger: ServiceUnderTest;

beforeAll(async () => {
  ledger = await startService(LedgerModule, ledgerConfig);
});
afterAll(() => ledger?.close());

describe('the migration 0001-perishable-is-what-is-left', () => {
  it('has run when the service is up', async () => {
    const applied = await ledger.database.connection
      .collection('_migrations')
      .findOne({ _id: '0001-perishable-is-what-is-left' as never });
    expect(applied).not.toBeNull();
  });

  it('takes off what was used since the turn, gives no refund back, and may run again', async () => {
    const { connection } = ledger.database;
    const rows = connection.collection('credit_balances');
    const [used, empty, fresh] = [newId('usr'), newId('usr'), newId('usr')];
    await rows.insertMany([
      { _id: used as never, perishable: 500, perishableSince: 2, version: 4 },
      { _id: empty as never, perishable: 0, perishableSince: 0, version: 1 },
      { _id: fresh as never, perishable: 70, version: 3 },
    ]);
    const lines = [
      ...[
        ['earn_purchase', 900],
        ['earn_regeneration', 500],
        ['spend_enhancement', -200],
      ],
      ...[
        ['spend_marketplace', -100],
        ['refund', 100],
      ],
    ];
    await connection
      .collection('credit_transactions')
      .insertMany(lines.map(([type, amount], at) => ({ userId: used, sequence: at + 1, type, amount })));
    await perishableIsWhatIsLeftMigration.up(connection);
    await perishableIsWhatIsLeftMigration.up(connection);
    const found = await rows
      .find({ _id: { $in: [used, empty, fresh] as never[] } })
      .sort({ _id: 1 })
      .toArray();
    expect(found).toEqual([
      { _id: used, perishable: 200, version: 5 },
      { _id: empty, perishable: 0, version: 1 },
      { _id: fresh, perishable: 70, version: 3 },
    ]);
  });
});
