import { connect } from 'node:net';
import { readState } from '@atelier/stack/state';

const CONNECT_TIMEOUT_MS = 3_000;

/** Something that the operator can mend; its message says how. */
export class OperatorError extends Error {}

/**
 * The brokers of KAFKA_BROKERS, else of what runs in this checkout.
 * @throws OperatorError when there are none, or none of them answers
 */
export async function runningBrokers(env: NodeJS.ProcessEnv = process.env): Promise<readonly string[]> {
  const text = env['KAFKA_BROKERS'] ?? readState()?.kafkaBrokers;
  if (!text) {
    throw new OperatorError('Nothing runs here. Start it with `npm start`, or set KAFKA_BROKERS=host:port.');
  }
  const brokers = text.split(',');
  const answers = await Promise.all(brokers.map(answersAt));
  if (answers.includes(true)) return brokers;
  throw new OperatorError(`Kafka does not answer at ${text}. Is it running?`);
}

function answersAt(broker: string): Promise<boolean> {
  const [host = '', port = '9092'] = broker.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: CONNECT_TIMEOUT_MS });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once('connect', () => settle(true))
      .once('timeout', () => settle(false))
      .once('error', () => settle(false));
  });
}
