import { Module } from '@nestjs/common';
import { Prompts } from './prompts.projection.js';

/** The projection is a controller, where its facts come in, and a provider, where listings ask it. */
@Module({ controllers: [Prompts], providers: [Prompts], exports: [Prompts] })
export class PromptsModule {}
