import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tap, type Observable } from 'rxjs';
import type { z } from 'zod';
import { DomainError, type Page } from '@atelier/kernel';

/** The sort values of the last item, as an opaque text. */
export function encodeCursor(values: unknown): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** Reads a cursor back. Throws invalid `platform.cursor.invalid` for anything that `encodeCursor` did not make. */
export function decodeCursor<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch (cause) {
    throw new DomainError({
      kind: 'invalid',
      code: 'platform.cursor.invalid',
      detail: 'The cursor is not one of ours. Start again without it.',
      errors: [{ pointer: '/cursor', detail: 'is not a cursor of this list' }],
      cause,
    });
  }
}

/** Sets `Link: <…>; rel="next"` (RFC 8288) on every answer that is a page with a next one. */
@Injectable()
export class PageLinkInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (execution.getType() !== 'http') return next.handle();
    const http = execution.switchToHttp();
    return next.handle().pipe(
      tap((result: unknown) => {
        if (!isPage(result) || result.nextCursor === null) return;
        const url = new URL(http.getRequest<FastifyRequest>().url, 'http://service');
        url.searchParams.set('cursor', result.nextCursor);
        http.getResponse<FastifyReply>().header('link', `<${url.pathname}${url.search}>; rel="next"`);
      }),
    );
  }
}

const isPage = (value: unknown): value is Page<unknown> =>
  typeof value === 'object' && value !== null && 'items' in value && 'nextCursor' in value;
