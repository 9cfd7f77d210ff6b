import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  decode,
  frameReply,
  messageLength,
  ProtocolError,
  readRequest,
  type Reply,
  type Request,
} from './wire.js';

/** Requests that may wait on one connection; drivers send one at a time. */
const queuedMax = 64;
/** Longest pause between two answers of a streaming hello, when the client names none. */
const helloPauseMs = 10_000;

type Answer = (request: Request) => Promise<Reply>;

/** One client: cuts its bytes into requests and answers them in order. */
export class Connection {
  readonly #closed = new AbortController();
  #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #queue: Buffer[] = [];
  #busy = false;

  constructor(
    private readonly socket: Socket,
    private readonly answer: Answer,
  ) {
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => this.close());
    socket.on('close', () => this.#closed.abort());
  }

  close(): void {
    this.#closed.abort();
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    try {
      while (this.#bytes >= 4) {
        if ((this.#chunks[0] as Buffer).length < 4) this.#chunks = [Buffer.concat(this.#chunks)];
        const length = messageLength(this.#chunks[0] as Buffer);
        if (this.#bytes < length) break;
        const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
        this.#queue.push(all.subarray(0, length));
        const rest = all.subarray(length);
        this.#chunks = rest.length > 0 ? [rest] : [];
        this.#bytes = rest.length;
      }
    } catch {
      return this.close();
    }
    if (this.#queue.length > queuedMax) this.socket.pause();
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    try {
      for (let bytes = this.#queue.shift(); bytes; bytes = this.#queue.shift()) {
        await this.#serve(readRequest(bytes));
        if (this.#closed.signal.aborted) return;
      }
      this.socket.resume();
    } catch (error) {
      // Bytes that are no request: there is no id to answer to, and what follows cannot be trusted either.
      if (!(error instanceof ProtocolError)) console.error('connection closed:', error);
      this.close();
    } finally {
      this.#busy = false;
    }
  }

  async #serve(request: Request): Promise<void> {
    if (request.exhaustAllowed && (request.head.name === 'hello' || request.head.name === 'isMaster')) {
      void this.#streamHello(request);
      return;
    }
    const reply = await this.answer(request);
    if (!request.silent && !this.#closed.signal.aborted) this.socket.write(frameReply(reply, request));
  }

  /** Streaming hello: answers now, or when the client knows the topology already, after its longest wait; for ever. */
  async #streamHello(request: Request): Promise<void> {
    const { maxAwaitTimeMS, topologyVersion } = decode(request.raw);
    const pauseMs = Math.min(Number(maxAwaitTimeMS ?? helloPauseMs), helloPauseMs);
    let to: Pick<Request, 'id' | 'legacy'> = request;
    let wait = topologyVersion !== undefined;
    try {
      for (;;) {
        if (wait) await sleep(pauseMs, undefined, { signal: this.#closed.signal, ref: false });
        wait = true;
        const frame = frameReply(await this.answer(request), to, true);
        to = { id: frame.readInt32LE(4), legacy: false };
        this.socket.write(frame);
      }
    } catch {
      // The signal: the client has gone.
    }
  }
}
