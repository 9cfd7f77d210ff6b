import type { PageRequest } from '@atelier/persistence';
import { UseCase, type Page } from '@atelier/service';
import type { CreditPackage } from './credit-package.domain.js';
import { CreditPackageRepository } from './credit-package.repository.js';

/** What is sold, in the order of the pricing page. */
@UseCase('commerce.list-credit-packages')
export class ListCreditPackages {
  constructor(private readonly packages: CreditPackageRepository) {}

  execute(page: PageRequest<CreditPackage>): Promise<Page<CreditPackage>> {
    return this.packages.onSale(page);
  }
}
