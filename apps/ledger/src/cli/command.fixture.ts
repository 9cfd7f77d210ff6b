import { infrastructure, type ServiceUnderTest } from '@atelier/testing';
import { parseCommand, type Command } from './arguments.js';
import { carryOut } from './commands.js';
import { openBooks } from './open-books.js';

/** The database of a ledger under test, as the command finds it. */
export const databaseOf = ({ database }: ServiceUnderTest) => ({
  MONGODB_URI: infrastructure().mongodbUri,
  MONGODB_DATABASE: database.connection.name,
});

/** `npm run ledger -- …` on a ledger under test, without a process of its own: its exit code and what it prints. */
export async function command(ledger: ServiceUnderTest, ...args: string[]) {
  const books = await openBooks(databaseOf(ledger));
  const lines: string[] = [];
  try {
    const parsed = parseCommand(args, new Date()) as Exclude<Command, { name: 'help' }>;
    const terminal = {
      print: (text: string) => void lines.push(text),
      paint: (_: string, text: string) => text,
    };
    return { status: await carryOut(parsed, books, terminal), stdout: lines.join('\n') };
  } finally {
    await books.close();
  }
}
