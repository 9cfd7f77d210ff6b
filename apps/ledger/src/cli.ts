import { z } from 'zod';
import { DomainError } from '@atelier/kernel';
import { HELP, parseCommand, UsageError, type Command } from './cli/arguments.js';
import { carryOut } from './cli/commands.js';
import { openBooks } from './cli/open-books.js';
import { terminal } from './cli/text.js';

const CANNOT_RUN = 2;

async function run(command: Command): Promise<number> {
  if (command.name === 'help') {
    terminal.print(HELP);
    return 0;
  }
  const books = await openBooks();
  try {
    return await carryOut(command, books, terminal);
  } finally {
    await books.close();
  }
}

try {
  process.exitCode = await run(parseCommand(process.argv.slice(2), new Date()));
} catch (error) {
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n${HELP}\n`);
  else if (error instanceof DomainError) process.stderr.write(`${error.message}\n`);
  else if (error instanceof z.ZodError)
    process.stderr.write(`the environment is wrong:\n${z.prettifyError(error)}\n`);
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = error instanceof DomainError ? 1 : CANNOT_RUN;
}
