import { Module } from '@nestjs/common';
import { Recipients } from './recipients.projection.js';

/** The projection is a controller, where its facts come in, and a provider, where e-mails ask it. */
@Module({ controllers: [Recipients], providers: [Recipients], exports: [Recipients] })
export class RecipientsModule {}
