import fc from 'fast-check';
import { aUser, STRESS_SEED } from '@atelier/testing';
import { LedgerProcess } from '../promises/ledger-process.fixture.js';
import { COMMANDS, USERS } from './commands.fixture.js';
import { newModel } from './credits-model.fixture.js';
import { LedgerSystem } from './system.fixture.js';

/**
 * Random histories against a plain model. A failure prints its seed, path and replay path: repeat it with
 * `STRESS_SEED`, `STRESS_PATH` and `STRESS_REPLAY`.
 */
const { STRESS_PATH, STRESS_REPLAY, STRESS_MS } = process.env;
/** Longer runs find more: `STRESS_MS=600000` is ten minutes. */
const RUN_MS = Number(STRESS_MS ?? 40_000);
const HISTORIES_MAX = 10_000;
const COMMANDS_MAX = 60;
/** Above the run: the history that is under way at its end, the shrinking, and the books. */
const MARGIN_MS = 140_000;

let ledger: LedgerProcess;
let now = new Date();
beforeAll(async () => {
  ledger = await LedgerProcess.create({
    CONSUMER_BACKOFF_BASE_MS: '1',
    EARNINGS_MATURE_DAYS: '0',
    PAYOUT_CREDITS_MIN: '1',
    PAYOUT_METHOD_WAIT_SECONDS: '0',
    // By the clock of the test, which stands still while a sweep runs.
    REGENERATION_LEASE_MS: '500',
  });
}, 120_000);
afterAll(() => ledger.stop());

it(
  `a random history leaves what a plain model has, with crashes and redelivery in it (STRESS_SEED=${STRESS_SEED})`,
  async () => {
    let [histories, commandsDone] = [0, 0];
    const history = fc.asyncProperty(
      fc.commands(COMMANDS, {
        maxCommands: COMMANDS_MAX,
        size: 'max',
        ...(STRESS_REPLAY ? { replayPath: STRESS_REPLAY } : {}),
      }),
      async (commands) => {
        await ledger.setTime(now);
        const system = new LedgerSystem(
          ledger,
          Array.from({ length: USERS }, () => aUser()),
        );
        await system.prepare();
        const model = newModel(USERS, now);
        try {
          await fc.asyncModelRun(() => ({ model, real: system }), commands);
          expect(await ledger.ask('findings')).toEqual([]);
        } finally {
          // Time goes on for the histories that follow: a clock that jumps back is another test's.
          now = model.now;
        }
        histories++;
        commandsDone += [...commands].length;
      },
    );
    await fc.assert(history, {
      seed: STRESS_SEED,
      ...(STRESS_PATH ? { path: STRESS_PATH } : {}),
      numRuns: HISTORIES_MAX,
      interruptAfterTimeLimit: RUN_MS,
    });
    process.stdout.write(`${histories} histories, ${commandsDone} commands, ${ledger.kills} kills\n`);
    expect(histories).toBeGreaterThan(0);
  },
  RUN_MS + MARGIN_MS,
);
