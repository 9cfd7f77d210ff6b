import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ActorSigner } from '@atelier/auth';
import { aVisitor } from '@atelier/testing';

export interface Gateway {
  readonly url: string;
  close(): void;
}

/** The gateway as far as a webhook needs it: the body goes through untouched, with a visitor's actor header. */
export async function openGateway(actorSecret: string, serviceUrl: () => string): Promise<Gateway> {
  const signer = new ActorSigner(actorSecret);
  const server = createServer((incoming, outgoing) => {
    void signer.sign(aVisitor).then((actor) => {
      const onward = request(
        new URL(incoming.url!, serviceUrl()),
        { method: incoming.method!, headers: { ...incoming.headers, 'x-atelier-actor': actor } },
        (answer) => {
          outgoing.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(outgoing);
        },
      );
      incoming.pipe(onward);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
