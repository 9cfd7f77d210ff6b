import { newId } from '@atelier/kernel';
import { startService, type ServiceUnderTest } from '@atelier/testing';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { balancesCountSalesMigration } from './0002-balances-count-sales.migration.js';

let ledger: ServiceUnderTest;

beforeAll(async () => {
  ledger = await startService(LedgerModule, ledgerConfig);
});
afterAll(() => ledger?.close());

describe('the migration 0002-balances-count-sales', () => {
  it('has run when the service is up', async () => {
    const applied = await ledger.database.connection
      .collection('_migrations')
      .findOne({ _id: '0002-balances-count-sales' as never });
    expect(applied).not.toBeNull();
  });

  it('adds up sales, refunds and payouts of those who have some, and may run again', async () => {
    const { connection } = ledger.database;
    const rows = connection.collection('credit_balances');
    const [seller, buyer, counted] = [newId('usr'), newId('usr'), newId('usr')];
    await rows.insertMany([
      { _id: seller as never, version: 4 },
      { _id: buyer as never, version: 1 },
      { _id: counted as never, soldCredits: 10, paidOutCredits: 0, version: 3 },
    ]);
    const lines = [
      ...[
        ['earn_purchase', 900],
        ['earn_sale', 500],
        ['earn_sale', 300],
        ['refund_reversal', -300],
      ],
      ...[
        ['spend_payout', -400],
        ['payout_return', 100],
      ],
    ].map(([type, amount], at) => ({ userId: seller, sequence: at + 1, type, amount }));
    await connection
      .collection('credit_transactions')
      .insertMany([
        ...lines,
        { userId: buyer, sequence: 1, type: 'spend_marketplace', amount: -5 },
        { userId: counted, sequence: 1, type: 'earn_sale', amount: 10 },
      ]);
    await balancesCountSalesMigration.up(connection);
    await balancesCountSalesMigration.up(connection);
    const found = await rows
      .find({ _id: { $in: [seller, buyer, counted] as never[] } })
      .sort({ _id: 1 })
      .toArray();
    expect(found).toEqual([
      { _id: seller, soldCredits: 500, paidOutCredits: 300, version: 5 },
      { _id: buyer, version: 1 },
      { _id: counted, soldCredits: 10, paidOutCredits: 0, version: 3 },
    ]);
  });
});
