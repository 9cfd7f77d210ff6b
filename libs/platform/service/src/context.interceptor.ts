import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import { contextOf } from '@atelier/auth';
import { runInContext } from '@atelier/observability';

/** Makes the request's context the current one for its handler, so that logs and spans carry it. */
@Injectable()
export class ContextInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (execution.getType() !== 'http') return next.handle();
    const context = contextOf(execution.switchToHttp().getRequest<object>());
    if (!context) return next.handle();
    return new Observable((subscriber) => runInContext(context, () => next.handle().subscribe(subscriber)));
  }
}
