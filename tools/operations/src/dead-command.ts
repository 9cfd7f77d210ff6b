import { parseArgs } from 'node:util';
import type { EventBus } from '@atelier/messaging';
import { DeadLetterDesk, type Outcome } from './dead-letters.js';
import { listText, outcomeText, showText } from './dead-text.js';
import { OperatorError } from './running.js';
import type { Paint } from './table.js';

export const help = `usage: npm run dead -- list                    what consumers could not handle, oldest first
       npm run dead -- show <letter>           one of them: why, from where, headers and data
       npm run dead -- replay <letter>|--all   handle again; the letter goes when that succeeds
       npm run dead -- drop <letter>           forget it, and let what waits behind it flow
<letter> is its id, the event's id, or an end of it that no other has.
  --group <group>   only of this consumer group
  --json            for machines
Kafka is KAFKA_BROKERS, else the one of \`npm start\` in this checkout. NO_COLOR is respected.`;

const WAIT_MS = 15_000;

export interface Terminal {
  readonly print: (text: string) => void;
  readonly paint: Paint;
  readonly width: number;
}

/**
 * Runs one command line against a bus that is opened only when the command line makes sense.
 * @returns the exit code: 1 when a replayed letter failed again or nobody took the order in time
 * @throws OperatorError
 */
export async function dead(
  args: readonly string[],
  open: () => Promise<EventBus>,
  { print, paint, width }: Terminal,
  waitMs: number = WAIT_MS,
): Promise<number> {
  const { values, positionals } = parse(args);
  const [command, wanted, ...more] = positionals;
  if (values.help || command === undefined) {
    print(help);
    return values.help ? 0 : 1;
  }
  if (!['list', 'show', 'replay', 'drop'].includes(command) || more.length > 0) throw new OperatorError(help);
  if (command === 'list' && wanted !== undefined) throw new OperatorError(help);
  const isAll = command === 'replay' && values.all;
  if (command !== 'list' && isAll === (wanted !== undefined))
    throw new OperatorError(
      `\`${command}\` needs ${command === 'replay' ? 'a letter or --all' : 'a letter'}.`,
    );

  const bus = await open();
  try {
    const desk = new DeadLetterDesk(bus);
    if (command === 'list') {
      const letters = await desk.list(values.group);
      print(values.json ? json(letters) : listText(letters, paint, width));
      return 0;
    }
    const letters =
      wanted === undefined ? await desk.list(values.group) : [await desk.find(wanted, values.group)];
    if (command === 'show') {
      print(values.json ? json(letters[0]) : showText(letters[0]!, paint));
      return 0;
    }
    const outcome = await (command === 'replay' ? desk.replay(letters, waitMs) : desk.drop(letters, waitMs));
    const done = command === 'replay' ? 'was handled' : 'was dropped';
    if (values.json) print(json(idsOf(outcome)));
    else print(letters.length === 0 ? 'There are no dead letters.' : outcomeText(outcome, done, paint));
    return outcome.failedAgain.length + outcome.waiting.length === 0 ? 0 : 1;
  } finally {
    await bus.close();
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        all: { type: 'boolean', default: false },
        group: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new OperatorError(`${(error as Error).message}\n${help}`);
  }
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);
const idsOf = ({ settled, failedAgain, waiting }: Outcome) => ({
  settled: settled.map(({ id }) => id),
  failedAgain: failedAgain.map(({ id, reason }) => ({ id, reason })),
  waiting: waiting.map(({ id }) => id),
});
