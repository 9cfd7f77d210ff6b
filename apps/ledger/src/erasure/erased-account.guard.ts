import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { contextOf } from '@atelier/auth';
import { placeHoldRequest } from '@atelier/contracts/ledger/holds.api';
import { HoldsController } from '../holds/holds.controller.js';
import { accountErased } from './erasure.domain.js';
import { ErasureRepository } from './erasure.repository.js';

const READS = ['GET', 'HEAD'];
const namedUser = placeHoldRequest.pick({ userId: true }).loose();

/**
 * Stands before every route that changes something, behind the guard that knows who asks. Access tokens outlive
 * their account by minutes, and other services may still be at work for it. It looks first and acts later, so a
 * request at the very moment of the erasure may get through: that one had begun, and ends as it would have.
 */
@Injectable()
export class ErasedAccountGuard implements CanActivate {
  constructor(private readonly erasure: ErasureRepository) {}

  /** Throws gone `ledger.account.erased`. */
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    if (execution.getType() !== 'http') return true;
    const userId = spender(execution);
    if (userId !== undefined && (await this.erasure.isErased(userId))) throw accountErased();
    return true;
  }
}

/** Whose account a request begins something in: the caller's own, or the one that a hold is placed on. */
function spender(execution: ExecutionContext): string | undefined {
  const request = execution.switchToHttp().getRequest<FastifyRequest>();
  if (READS.includes(request.method)) return undefined;
  const actor = contextOf(request)?.actor;
  if (actor?.kind === 'user') return actor.id;

  if (execution.getHandler() !== HoldsController.prototype.place) return undefined;
  return namedUser.safeParse(request.body).data?.userId;
}
