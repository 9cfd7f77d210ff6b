import { createServer, type AddressInfo, type Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';

const DRIP_MS = 20;

/** What a mail server received, as it came. */
export interface MailServer {
  readonly url: string;
  readonly mails: string[];
  /** Everybody that a sender began a mail to. */
  readonly recipients: string[];
  close(): Promise<void>;
}

/** A real SMTP server. It refuses `refused@…` for good and `busy@…` for now, and hangs up on `drop@…`. */
export async function startMailServer(): Promise<MailServer> {
  const mails: string[] = [];
  const recipients: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onRcptTo({ address }, session, callback) {
      recipients.push(address);
      if (address.startsWith('refused@')) return callback(answer(550, `no such user ${address}`));
      if (address.startsWith('busy@')) return callback(answer(451, `try ${address} later`));
      if (address.startsWith('drop@')) {
        for (const connection of server.connections) connection.close();
        return;
      }
      callback();
    },
    onData(stream, _session, callback) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        mails.push(Buffer.concat(parts).toString());
        callback();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    recipients,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** A server that is never silent and never done: its greeting has no end. */
export async function startDrippingServer(): Promise<Pick<MailServer, 'url' | 'close'>> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const dripping = setInterval(() => socket.write('220-one moment\r\n'), DRIP_MS);
    socket.on('error', () => undefined).on('close', () => clearInterval(dripping));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const answer = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode });
