import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import {
  checkoutView,
  paymentView,
  startCheckoutRequest,
  type CheckoutView,
  type PaymentView,
  type StartCheckoutRequest,
} from '@atelier/contracts/commerce/payments.api';
import { idSchema, toMoneyWire, type Context } from '@atelier/kernel';
import { Idempotent, pageOf, pageQuery, type Page } from '@atelier/service';
import { ConfirmPayment } from './confirm-payment.usecase.js';
import type { Payment } from './payment.domain.js';
import { ListPayments, ReadPayment } from './read-payments.usecase.js';
import { StartCheckout } from './start-checkout.usecase.js';

const paymentId = idSchema('pay');
const listQuery = pageQuery();

@ApiTags('billing')
@Controller('api/v1/billing')
export class PaymentsController {
  constructor(
    private readonly startCheckout: StartCheckout,
    private readonly confirmPayment: ConfirmPayment,
    private readonly readPayment: ReadPayment,
    private readonly listPayments: ListPayments,
  ) {}

  @Post('checkouts')
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: checkoutView })
  async start(
    @Body({ schema: startCheckoutRequest }) body: StartCheckoutRequest,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CheckoutView> {
    const { payment, checkoutUrl } = await this.startCheckout.execute(body, context);
    reply.header('location', `/api/v1/billing/payments/${payment.id}`);
    return { payment: toPaymentView(payment), checkoutUrl };
  }

  @Get('payments')
  @ApiOkResponse({ standardSchema: pageOf(paymentView) })
  async list(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<PaymentView>> {
    const page = await this.listPayments.execute(query, context);
    return { ...page, items: page.items.map(toPaymentView) };
  }

  @Get('payments/:id')
  @ApiOkResponse({ standardSchema: paymentView })
  async read(@Param('id', { schema: paymentId }) id: string, @Ctx() context: Context): Promise<PaymentView> {
    return toPaymentView(await this.readPayment.execute(id, context));
  }

  @Post('payments/:id/confirm')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: paymentView })
  async confirm(
    @Param('id', { schema: paymentId }) id: string,
    @Ctx() context: Context,
  ): Promise<PaymentView> {
    return toPaymentView(await this.confirmPayment.execute(id, context));
  }
}

function toPaymentView(payment: Payment): PaymentView {
  const { id, status, amount, purpose, provider } = payment;
  return {
    ...{ id, status, purpose, provider },
    amount: toMoneyWire(amount),
    creditPackageId: payment.creditPackageId ?? null,
    credits: payment.credits ?? null,
    failureReason: payment.failureReason ?? null,
    createdAt: payment.createdAt.toISOString(),
    succeededAt: payment.succeededAt?.toISOString() ?? null,
  };
}
