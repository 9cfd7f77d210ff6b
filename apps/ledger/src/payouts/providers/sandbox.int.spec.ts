import { aDatabaseName, openDatabase, type OpenDatabase } from '@atelier/testing';
import { bankAccount } from '../seller.fixture.js';
import { describePayoutProvider } from './payout-provider.contract.js';
import { SANDBOX_CODE, SandboxPayoutProvider } from './sandbox.provider.js';

let open: OpenDatabase<SandboxPayoutProvider>;
beforeAll(async () => {
  const options = { database: 'ledger', name: aDatabaseName('ledger') };
  open = await openDatabase(options, (database) => new SandboxPayoutProvider(database));
});
afterAll(async () => {
  await open.database.connection.dropDatabase();
  await open.close();
});

describePayoutProvider('sandbox', () => ({
  provider: open.repositories,
  account: bankAccount() as never,
  closedAccount: { type: 'paypal', email: 'ada-0000@example.com' },
  codeOf: async () => SANDBOX_CODE,
  work: async () => undefined,
  ordersOf: async (payoutId) => {
    const transfers = open.database.connection.collection('sandbox_transfers');
    const rows = await transfers.find({ _id: { $regex: payoutId } as never }).toArray();
    return rows.map(({ amount }) => amount as number);
  },
}));
