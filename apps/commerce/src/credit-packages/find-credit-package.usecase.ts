import { DomainError } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { CreditPackage } from './credit-package.domain.js';
import { CreditPackageRepository } from './credit-package.repository.js';

/**
 * A credit package that is sold.
 * Fails with: commerce.credit_package.not_found.
 */
@UseCase('commerce.find-credit-package')
export class FindCreditPackage {
  constructor(private readonly packages: CreditPackageRepository) {}

  async execute(id: string): Promise<CreditPackage> {
    const found = await this.packages.loadAcrossOwners(id, 'public listing');
    if (found?.active) return found;
    throw new DomainError({
      kind: 'not_found',
      code: 'commerce.credit_package.not_found',
      detail: 'There is no such credit package. GET /api/v1/billing/credit-packages lists what is sold.',
    });
  }
}
