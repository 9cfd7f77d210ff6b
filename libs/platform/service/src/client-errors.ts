import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HttpException } from '@nestjs/common';
import { newId } from '@atelier/kernel';
import { PROBLEM_CONTENT_TYPE, problemOf } from './problem.js';

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what is not HTTP, or does not arrive, so that no handler sees it, with a problem and an end. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswerUnderWay(socket)) {
    socket.destroy();
    return;
  }
  const refused = new HttpException('refused', STATUS_OF_CODE[error.code ?? ''] ?? 400);
  const problem = problemOf(refused, { id: newId('req'), url: '/' });
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nconnection: close\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/**
 * Our bytes could not be told from those of an answer that has begun. Node keeps the answer that a connection is at
 * under this name, asks it the same in its own handler, and has no public way to ask.
 */
const isAnswerUnderWay = (socket: Socket & { _httpMessage?: ServerResponse | null }): boolean =>
  socket._httpMessage?.headersSent ?? false;
