import { Book, initModels, mongoTransaction } from 'medici';
import mongoose from 'mongoose';

/** The peer: a ledger on MongoDB, used as its manual says to withdraw safely. */
export class Medici {
  private readonly book = new Book('bench');

  static async connect(uri: string, dbName: string): Promise<Medici> {
    await mongoose.connect(uri, { dbName });
    await mongoose.connection.dropDatabase();
    await initModels();
    return new Medici();
  }

  async deposit(wallet: string, amount: number): Promise<void> {
    await this.book.entry('Deposit').debit('Assets', amount).credit(`Accounts:${wallet}`, amount).commit();
  }

  /** Makes the row that withdrawals lock: two that make it at the same time would be a duplicate key, not a wait. */
  prepareLock(wallet: string): Promise<void> {
    return mongoTransaction(async (session) => {
      await this.book.writelockAccounts([`Accounts:${wallet}`], { session });
    });
  }

  /** "ACID checks of an account balance" of its manual, word for word. */
  withdraw(wallet: string, amount: number): Promise<void> {
    const account = `Accounts:${wallet}`;
    return mongoTransaction(async (session) => {
      await this.book
        .entry('Withdraw by User')
        .credit('Assets', amount)
        .debit(account, amount)
        .commit({ session });
      const { balance } = await this.book.balance({ account }, { session });
      if (balance < 0) throw new Error('Not enough balance in wallet.');
      await this.book.writelockAccounts([account], { session });
    });
  }

  close(): Promise<void> {
    return mongoose.disconnect();
  }
}
