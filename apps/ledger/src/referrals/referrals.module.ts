import { Module } from '@nestjs/common';
import { JournalModule } from '../journal/journal.module.js';
import { NotePayment } from './note-payment.usecase.js';
import { NoteRegistration } from './note-registration.usecase.js';
import { OnPaymentSucceeded } from './on-payment-succeeded.consumer.js';
import { OnUserRegistered } from './on-user-registered.consumer.js';
import { PersonRepository } from './person.repository.js';
import { ReadReferrals } from './read-referrals.usecase.js';
import { ReferralRepository } from './referral.repository.js';
import { ReferralsController } from './referrals.controller.js';
import { SettleReferral } from './settle-referral.usecase.js';

const CONSUMERS = [OnUserRegistered, OnPaymentSucceeded];

@Module({
  imports: [JournalModule],
  controllers: [ReferralsController, ...CONSUMERS],
  providers: [
    PersonRepository,
    ReferralRepository,
    NoteRegistration,
    NotePayment,
    SettleReferral,
    ReadReferrals,
  ],
})
export class ReferralsModule {}
