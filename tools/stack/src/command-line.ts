import { parseArgs, type ParseArgsConfig } from 'node:util';

/**
 * The options and words that a command was started with. What is wrong with them is said with the command's help,
 * and ends it with 1: a stack trace would tell nothing of it.
 */
export function commandLine<const Config extends ParseArgsConfig>(
  help: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`${(error as Error).message}\n${help}`);
    process.exit(1);
  }
}
