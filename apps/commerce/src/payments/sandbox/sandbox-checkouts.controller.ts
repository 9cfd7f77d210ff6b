import { Controller, Get, HttpCode, Param, Post, UseGuards, type CanActivate } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Public } from '@atelier/auth';
import { DomainError, toMoneyWire } from '@atelier/kernel';
import { InjectConfig } from '@atelier/service';
import { commerceConfig, type CommerceConfig } from '../../commerce.config.js';
import type { SandboxCheckout } from './sandbox-checkouts.js';
import { SandboxProvider } from './sandbox.provider.js';

const checkoutId = z.string().regex(/^sbx_[0-9a-z]{26}$/);

class OutsideProduction implements CanActivate {
  constructor(@InjectConfig(commerceConfig) private readonly config: CommerceConfig) {}

  canActivate(): boolean {
    if (this.config.NODE_ENV !== 'production') return true;
    throw new DomainError({
      kind: 'not_found',
      code: 'commerce.sandbox.not_found',
      detail: 'There is no sandbox in production.',
    });
  }
}

/** Stands in for the provider's hosted page: whoever has the address may pay, or fail to. */
@ApiTags('sandbox')
@Controller('api/v1/sandbox/checkouts')
@UseGuards(OutsideProduction)
@Public()
export class SandboxCheckoutsController {
  constructor(private readonly sandbox: SandboxProvider) {}

  @Get(':id')
  async show(@Param('id', { schema: checkoutId }) id: string) {
    return toPage(await this.sandbox.page(id));
  }

  @Post(':id/succeed')
  @HttpCode(200)
  async succeed(@Param('id', { schema: checkoutId }) id: string) {
    return toPage(await this.sandbox.settle(id, 'succeeded'));
  }

  @Post(':id/fail')
  @HttpCode(200)
  async fail(@Param('id', { schema: checkoutId }) id: string) {
    return toPage(await this.sandbox.settle(id, 'failed'));
  }
}

const toPage = ({ _id, paymentId, amount, description, status }: SandboxCheckout) => ({
  id: _id,
  paymentId,
  description,
  amount: toMoneyWire(amount),
  status,
});
