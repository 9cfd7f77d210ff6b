import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Public } from '@atelier/auth';
import { creditPackageView, type CreditPackageView } from '@atelier/contracts/commerce/payments.api';
import { toMoneyWire } from '@atelier/kernel';
import { pageOf, pageQuery, type Page } from '@atelier/service';
import type { CreditPackage } from './credit-package.domain.js';
import { ListCreditPackages } from './list-credit-packages.usecase.js';

const listQuery = pageQuery();

@ApiTags('billing')
@Controller('api/v1/billing/credit-packages')
export class CreditPackagesController {
  constructor(private readonly listCreditPackages: ListCreditPackages) {}

  @Get()
  @Public()
  @ApiOkResponse({ standardSchema: pageOf(creditPackageView) })
  async list(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
  ): Promise<Page<CreditPackageView>> {
    const page = await this.listCreditPackages.execute(query);
    return { ...page, items: page.items.map(toCreditPackageView) };
  }
}

function toCreditPackageView({ id, name, credits, bonusCredits, price }: CreditPackage): CreditPackageView {
  return {
    id,
    name,
    credits,
    bonusCredits,
    price: toMoneyWire(price),
  };
}
