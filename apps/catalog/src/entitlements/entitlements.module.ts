import { Module } from '@nestjs/common';
import { Entitlements } from './entitlements.projection.js';

/** The projection is a controller, where its facts come in, and a provider, where prompts ask it. */
@Module({ controllers: [Entitlements], providers: [Entitlements], exports: [Entitlements] })
export class EntitlementsModule {}
