import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { bodyTooLarge } from '../edge/refusals.js';

/**
 * A request's body on its way upstream, chunk by chunk. It stands between the client's connection and the
 * upstream's: undici destroys the body of a request that failed, and the client is still to be answered.
 * Fails with `platform.request.body_too_large` when more than `bytesMax` come.
 */
export class RequestBody extends Readable {
  private bytes = 0;

  constructor(
    private readonly source: IncomingMessage,
    bytesMax: number,
    onProgress: () => void,
  ) {
    super();
    this.on('close', () => this.detach());
    this.onData = (chunk) => {
      if (this.destroyed) return;
      this.bytes += chunk.length;
      if (this.bytes > bytesMax) {
        this.destroy(bodyTooLarge(bytesMax));
        return;
      }
      onProgress();
      if (!this.push(chunk)) source.pause();
    };
    this.onEnd = () => this.push(null);
    source.on('data', this.onData).on('end', this.onEnd);
  }

  override _read(): void {
    this.source.resume();
  }

  private readonly onData: (chunk: Buffer) => void;
  private readonly onEnd: () => void;

  private detach(): void {
    this.source.off('data', this.onData).off('end', this.onEnd);
  }
}

/**
 * Takes in what is left of a body that nobody wants, so that the client gets to read its answer: a connection
 * that is closed over unread bytes is reset. Who sends more than that, or pauses for longer, is cut off; the server
 * bounds the whole of it, as of every request.
 */
export function discardBody(request: IncomingMessage, bytesMax: number, timeoutMs: number): void {
  if (request.complete || request.destroyed) return;
  let bytes = 0;
  const timer = setTimeout(() => request.destroy(), timeoutMs);
  request
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      timer.refresh();
      if (bytes > bytesMax) request.destroy();
    })
    .once('close', () => clearTimeout(timer))
    .once('end', () => clearTimeout(timer))
    .resume();
}
