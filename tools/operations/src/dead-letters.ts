import { setTimeout as sleep } from 'node:timers/promises';
import { DeadLetters, type DeadLetter, type EventBus } from '@atelier/messaging';
import { OperatorError } from './running.js';

const deadSuffix = '.dead';
const POLL_MS = 250;

/** What became of letters that were ordered again. */
export interface Outcome {
  readonly settled: readonly DeadLetter[];
  /** Handled again, and failed again. */
  readonly failedAgain: readonly DeadLetter[];
  /** Nobody has taken the order yet: the service is down or busy. */
  readonly waiting: readonly DeadLetter[];
}

/** The dead letters of all groups, as one operator sees them. */
export class DeadLetterDesk {
  private readonly letters: DeadLetters;

  constructor(private readonly bus: EventBus) {
    this.letters = new DeadLetters(bus);
  }

  /** Oldest first; of one group when it is named. @throws OperatorError when there is no such group */
  async list(group?: string): Promise<readonly DeadLetter[]> {
    const groups = (await this.bus.topics())
      .filter((topic) => topic.endsWith(deadSuffix))
      .map((topic) => topic.slice(0, -deadSuffix.length))
      .sort();
    if (group !== undefined && !groups.includes(group))
      throw new OperatorError(`There is no group ${group}. There are: ${groups.join(', ') || 'none'}.`);
    const letters: DeadLetter[] = [];
    for (const name of group === undefined ? groups : [group])
      letters.push(...(await this.letters.list(name)));
    return letters.sort((a, b) => (a.failedAt < b.failedAt ? -1 : 1));
  }

  /**
   * The one letter that is meant: by its id, its event's id, or an end of one of them that only it has.
   * @throws OperatorError when it is none or several
   */
  async find(wanted: string, group?: string): Promise<DeadLetter> {
    const letters = await this.list(group);
    const exact = letters.filter(({ id }) => id === wanted);
    const found = exact.length > 0 ? exact : letters.filter(({ id }) => id.endsWith(wanted));
    if (found.length === 1) return found[0]!;
    throw new OperatorError(
      found.length === 0
        ? `There is no dead letter ${wanted}. \`npm run dead -- list\` shows what there is.`
        : `${wanted} could be any of these:\n${found.map(({ id }) => `  ${id}`).join('\n')}`,
    );
  }

  /** Orders the letters' consumers to handle them again, oldest first, and waits a while for the outcome. */
  replay(letters: readonly DeadLetter[], waitMs: number): Promise<Outcome> {
    return this.order(letters, 'replay', waitMs);
  }

  /** Orders the letters' consumers to forget them. */
  drop(letters: readonly DeadLetter[], waitMs: number): Promise<Outcome> {
    return this.order(letters, 'drop', waitMs);
  }

  private async order(
    letters: readonly DeadLetter[],
    command: 'replay' | 'drop',
    waitMs: number,
  ): Promise<Outcome> {
    for (const letter of letters) await this.letters.order(letter, command);
    const until = Date.now() + waitMs;
    for (;;) {
      const outcome = await this.outcomeOf(letters);
      if (outcome.waiting.length === 0 || Date.now() >= until) return outcome;
      await sleep(POLL_MS);
    }
  }

  private async outcomeOf(letters: readonly DeadLetter[]): Promise<Outcome> {
    const groups = [...new Set(letters.map(({ group }) => group))];
    const left = (await Promise.all(groups.map((group) => this.letters.list(group)))).flat();
    const nowOf = new Map(left.map((letter) => [letter.id, letter]));
    return {
      settled: letters.filter(({ id }) => !nowOf.has(id)),
      failedAgain: letters.flatMap(({ id, failedAt }) => {
        const now = nowOf.get(id);
        return now && now.failedAt !== failedAt ? [now] : [];
      }),
      waiting: letters.filter(({ id, failedAt }) => nowOf.get(id)?.failedAt === failedAt),
    };
  }
}
