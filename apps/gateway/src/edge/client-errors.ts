import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { newId } from '@atelier/kernel';
import { PROBLEM_CONTENT_TYPE, type Problem } from '@atelier/service';

type Refusal = readonly [status: number, code: string, detail: string];

const MALFORMED: Refusal = [400, 'platform.request.malformed', 'The request is not valid HTTP.'];
const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: [431, 'platform.request.headers_too_large', 'The request headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    413,
    'platform.request.body_too_large',
    'The chunk extensions are too large.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'platform.request.timeout', 'The request took too long to arrive.'],
};

/** Answers what is not HTTP at all, so that no request or reply exists, with a problem and an end. */
export function answerClientErrors(server: Server): void {
  server.removeAllListeners('clientError');
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Bytes of an answer that is under way cannot be told from ours.
    const hasAnswerUnderWay = socket.bytesWritten > 0 && error.code !== 'ERR_HTTP_REQUEST_TIMEOUT';
    if (!socket.writable || error.code === 'ECONNRESET' || hasAnswerUnderWay) {
      socket.destroy();
      return;
    }
    const [status, code, detail] = REFUSALS[error.code ?? ''] ?? MALFORMED;
    const title = STATUS_CODES[status] ?? 'Error';
    const type = `urn:atelier:problem:${code}`;
    const problem: Problem = { type, title, status, detail, instance: '/', code, requestId: newId('req') };
    const body = JSON.stringify(problem);
    socket.end(
      `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
}
