import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { contextOf } from '@atelier/auth';
import { accountErased } from '../accounts/account.domain.js';
import { ErasureRepository } from './erasure.repository.js';

const READS = ['GET', 'HEAD'];

/**
 * Stands before every route by which a person changes something, behind the guard that knows who asks: access tokens
 * outlive their account by minutes. It looks first and acts later, so a request at the very moment of the erasure may
 * get through: that one had begun, and ends as it would have. Holds, which other services ask for, look themselves.
 */
@Injectable()
export class ErasedAccountGuard implements CanActivate {
  constructor(private readonly erasure: ErasureRepository) {}

  /** Throws gone `ledger.account.erased`. */
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    if (execution.getType() !== 'http') return true;
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const actor = contextOf(request)?.actor;
    if (actor?.kind !== 'user' || READS.includes(request.method)) return true;
    if (await this.erasure.isErased(actor.id)) throw accountErased();
    return true;
  }
}
