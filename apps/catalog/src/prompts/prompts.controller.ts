import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Ctx, Public } from '@atelier/auth';
import {
  createPromptRequest,
  promptFilters,
  promptSummaryView,
  promptVersionsLimit,
  promptVersionView,
  promptView,
  updatePromptRequest,
  type CreatePromptRequest,
  type PromptSummaryView,
  type PromptVersionView,
  type PromptView,
  type UpdatePromptRequest,
} from '@atelier/contracts/catalog/prompts.api';
import { idSchema, type Context } from '@atelier/kernel';
import { Idempotent, IfMatch, pageOf, pageQuery, withEtag, type Page } from '@atelier/service';
import { CreatePrompt } from './create-prompt.usecase.js';
import { DeletePrompt } from './delete-prompt.usecase.js';
import { ListPromptVersions } from './list-prompt-versions.usecase.js';
import { ListPrompts } from './list-prompts.usecase.js';
import type { Prompt, PromptAccess, PromptSummary, PromptVersion } from './prompt.domain.js';
import { ReadPrompt } from './read-prompt.usecase.js';
import { UpdatePrompt } from './update-prompt.usecase.js';

const promptId = idSchema('prm');
const listQuery = pageQuery(promptFilters);
const versionsQuery = pageQuery(promptVersionsLimit);

@ApiTags('prompts')
@Controller('api/v1/prompts')
export class PromptsController {
  constructor(
    private readonly createPrompt: CreatePrompt,
    private readonly readPrompt: ReadPrompt,
    private readonly listPrompts: ListPrompts,
    private readonly listPromptVersions: ListPromptVersions,
    private readonly updatePrompt: UpdatePrompt,
    private readonly deletePrompt: DeletePrompt,
  ) {}

  @Post()
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: promptView })
  async create(
    @Body({ schema: createPromptRequest }) body: CreatePromptRequest,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PromptView> {
    const prompt = await this.createPrompt.execute(body, context);
    withEtag(reply, prompt.version);
    reply.header('location', `/api/v1/prompts/${prompt.id}`);
    return toPromptView(prompt, 'owner');
  }

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(promptSummaryView) })
  async list(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<PromptSummaryView>> {
    const page = await this.listPrompts.execute(query, context);
    return { ...page, items: page.items.map(toSummaryView) };
  }

  @Get(':id')
  @Public()
  @ApiOkResponse({ standardSchema: promptView })
  async read(
    @Param('id', { schema: promptId }) id: string,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PromptView> {
    const { prompt, access } = await this.readPrompt.execute(id, context);
    // Others see less of the same version and cannot change it, so the tag is the owner's alone.
    if (access === 'owner') withEtag(reply, prompt.version);
    return toPromptView(prompt, access);
  }

  @Patch(':id')
  @ApiOkResponse({ standardSchema: promptView })
  async update(
    @Param('id', { schema: promptId }) id: string,
    @IfMatch() expected: number,
    @Body({ schema: updatePromptRequest }) changes: UpdatePromptRequest,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PromptView> {
    const prompt = await this.updatePrompt.execute(
      { promptId: id, expectedVersion: expected, changes },
      context,
    );
    withEtag(reply, prompt.version);
    return toPromptView(prompt, 'owner');
  }

  /** `If-Match` is taken when it comes and not asked for: to delete is to want no version at all. */
  @Delete(':id')
  @HttpCode(204)
  async delete(
    @Param('id', { schema: promptId }) id: string,
    @IfMatch({ optional: true }) expected: number | undefined,
    @Ctx() context: Context,
  ): Promise<void> {
    await this.deletePrompt.execute({ promptId: id, expectedVersion: expected }, context);
  }

  @Get(':id/versions')
  @ApiOkResponse({ standardSchema: pageOf(promptVersionView) })
  async versions(
    @Param('id', { schema: promptId }) id: string,
    @Query({ schema: versionsQuery }) query: z.infer<typeof versionsQuery>,
    @Ctx() context: Context,
  ): Promise<Page<PromptVersionView>> {
    const page = await this.listPromptVersions.execute({ promptId: id, ...query }, context);
    return { ...page, items: page.items.map(toVersionView) };
  }
}

function toSummaryView(prompt: PromptSummary): PromptSummaryView {
  const { id, userId, title, description, category, tags, difficulty, language, type } = prompt;
  const { isTemplate, status, visibility, contentVersion, metadata, marketplace } = prompt;
  const { wordCount, tokenEstimate, complexityScore } = metadata;
  return {
    ...{ id, userId, title, description, category, tags: [...tags], difficulty, language, type },
    ...{ isTemplate, status, visibility, contentVersion },
    metadata: { wordCount, tokenEstimate, complexityScore },
    listing: marketplace?.isListed
      ? { id: marketplace.listingId, priceCredits: marketplace.priceCredits }
      : null,
    createdAt: prompt.createdAt.toISOString(),
    updatedAt: prompt.updatedAt.toISOString(),
  };
}

function toPromptView(prompt: Prompt, access: PromptAccess): PromptView {
  return {
    ...toSummaryView(prompt),
    access,
    ...(access === 'public' ? {} : { content: prompt.content, role: prompt.role }),
    ...(prompt.deletedAt ? { deletedAt: prompt.deletedAt.toISOString() } : {}),
  };
}

function toVersionView(row: PromptVersion): PromptVersionView {
  const { id, promptId, versionNumber, content, role, type, changes, createdAt, createdBy } = row;
  return {
    id,
    promptId,
    versionNumber,
    content,
    role,
    type,
    changes,
    createdAt: createdAt.toISOString(),
    createdBy,
  };
}
