import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Ctx } from '@atelier/auth';
import { toMoneyWire, type Context } from '@atelier/kernel';
import { InjectConfig } from '@atelier/service';
import { earningsView, type EarningsView } from '@atelier/contracts/ledger/earnings.api';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { ReadEarnings } from './read-earnings.usecase.js';

@ApiTags('billing')
@Controller('api/v1/billing/earnings')
export class EarningsController {
  constructor(
    private readonly readEarnings: ReadEarnings,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  @Get()
  @ApiOkResponse({ standardSchema: earningsView })
  async read(@Ctx() context: Context): Promise<EarningsView> {
    const { inPayout, ...earnings } = await this.readEarnings.execute(context);
    return {
      ...earnings,
      payoutCreditsMin: this.config.PAYOUT_CREDITS_MIN,
      ratePerCredit: [...this.config.PAYOUT_MINOR_UNITS_PER_CREDIT].map(([currency, amount]) =>
        toMoneyWire({ amount, currency }),
      ),
      inPayout: inPayout.map(({ settled, currency }) => toMoneyWire({ amount: settled, currency })),
    };
  }
}
