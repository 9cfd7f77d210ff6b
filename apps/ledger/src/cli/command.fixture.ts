import { infrastructure, type ServiceUnderTest } from '@atelier/testing';
import { parseCommand, type Command } from './arguments.js';
import { carryOut } from './commands.js';
import { openBooks } from './open-books.js';
import type { Terminal } from './text.js';

/** The database of a ledger under test, as the command finds it. */
export const databaseOf = ({ database }: ServiceUnderTest) => ({
  MONGODB_URI: infrastructure().mongodbUri,
  MONGODB_DATABASE: database.connection.name,
});

/** Carries a command out; answers its exit code and what it prints. */
export async function printed(command: (terminal: Terminal) => Promise<number>) {
  const lines: string[] = [];
  const status = await command({ print: (text) => lines.push(text), paint: (_, text) => text });
  return { status, stdout: lines.join('\n') };
}

/** `npm run ledger -- …` on a ledger under test, without a process of its own: its exit code and what it prints. */
export async function command(ledger: ServiceUnderTest, ...args: string[]) {
  const books = await openBooks(databaseOf(ledger));
  try {
    const parsed = parseCommand(args, new Date()) as Exclude<Command, { name: 'help' }>;
    return await printed((terminal) => carryOut(parsed, books, terminal));
  } finally {
    await books.close();
  }
}
