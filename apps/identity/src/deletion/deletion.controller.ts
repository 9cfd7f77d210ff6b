import { Body, Controller, Delete, Headers, HttpCode, Param } from '@nestjs/common';
import { Ctx, Roles } from '@atelier/auth';
import { deleteAccountRequest, type DeleteAccountRequest } from '@atelier/contracts/identity/deletion.api';
import { idSchema, type Context } from '@atelier/kernel';
import { expectedVersion } from '@atelier/service';
import type { UserId } from '../users/user.domain.js';
import { DeleteUser } from './delete-user.usecase.js';

const userId = idSchema('usr');

/** The end of accounts: one's own, and for admins anybody's. `If-Match` is heeded when it is sent. */
@Controller('api/v1/users')
export class DeletionController {
  constructor(private readonly deleteUser: DeleteUser) {}

  @Delete('me')
  @HttpCode(204)
  async deleteOwn(
    @Body({ schema: deleteAccountRequest }) body: DeleteAccountRequest,
    @Headers('if-match') ifMatch: string | undefined,
    @Ctx() context: Context,
  ): Promise<void> {
    await this.deleteUser.execute({ by: 'owner', password: body?.password }, versionOf(ifMatch), context);
  }

  @Delete(':id')
  @Roles('admin')
  @HttpCode(204)
  async delete(
    @Param('id', { schema: userId }) id: UserId,
    @Headers('if-match') ifMatch: string | undefined,
    @Ctx() context: Context,
  ): Promise<void> {
    await this.deleteUser.execute({ by: 'admin', userId: id }, versionOf(ifMatch), context);
  }
}

const versionOf = (ifMatch: string | undefined) =>
  ifMatch === undefined ? undefined : expectedVersion(ifMatch);
