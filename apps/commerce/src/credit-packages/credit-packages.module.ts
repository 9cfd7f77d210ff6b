import { Module } from '@nestjs/common';
import { CreditPackageRepository } from './credit-package.repository.js';
import { CreditPackagesController } from './credit-packages.controller.js';
import { FindCreditPackage } from './find-credit-package.usecase.js';
import { ListCreditPackages } from './list-credit-packages.usecase.js';

@Module({
  controllers: [CreditPackagesController],
  providers: [CreditPackageRepository, ListCreditPackages, FindCreditPackage],
  exports: [FindCreditPackage],
})
export class CreditPackagesModule {}
