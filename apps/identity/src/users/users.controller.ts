import { Body, Controller, Get, Patch, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Ctx } from '@atelier/auth';
import {
  updateProfileRequest,
  userView,
  type UpdateProfileRequest,
  type UserView,
} from '@atelier/contracts/identity/users.api';
import type { Context } from '@atelier/kernel';
import { IfMatch, withEtag } from '@atelier/service';
import { FindAccount } from './find-account.usecase.js';
import { UpdateProfile } from './update-profile.usecase.js';
import type { User } from './user.domain.js';

/** One's own account. The ETag is the version that `If-Match` of a change names. */
@ApiTags('users')
@Controller('api/v1/users/me')
export class UsersController {
  constructor(
    private readonly findAccount: FindAccount,
    private readonly updateProfile: UpdateProfile,
  ) {}

  @Get()
  @ApiOkResponse({ standardSchema: userView })
  async me(@Ctx() context: Context, @Res({ passthrough: true }) reply: FastifyReply): Promise<UserView> {
    const user = await this.findAccount.execute(context);
    withEtag(reply, user.version);
    return toUserView(user);
  }

  @Patch()
  @ApiOkResponse({ standardSchema: userView })
  async update(
    @Body({ schema: updateProfileRequest }) body: UpdateProfileRequest,
    @IfMatch() expectedVersion: number,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserView> {
    const user = await this.updateProfile.execute(body, expectedVersion, context);
    withEtag(reply, user.version);
    return toUserView(user);
  }
}

export const toUserView = (user: User): UserView => ({
  id: user.id,
  email: user.email ?? null,
  emailVerifiedAt: user.emailVerifiedAt?.toISOString() ?? null,
  displayName: user.displayName,
  role: user.role,
  accountStatus: user.accountStatus,
  preferences: user.preferences,
  createdAt: user.createdAt.toISOString(),
  updatedAt: user.updatedAt.toISOString(),
});
