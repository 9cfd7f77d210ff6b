import { Body, Controller, Delete, HttpCode, Param } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Ctx, Roles } from '@atelier/auth';
import { deleteAccountRequest, type DeleteAccountRequest } from '@atelier/contracts/identity/deletion.api';
import { idSchema, type Context } from '@atelier/kernel';
import { IfMatch } from '@atelier/service';
import type { UserId } from '../users/user.domain.js';
import { DeleteUser } from './delete-user.usecase.js';

const userId = idSchema('usr');

/** The end of accounts: one's own, and for admins anybody's. `If-Match` is heeded when it is sent. */
@ApiTags('users')
@Controller('api/v1/users')
export class DeletionController {
  constructor(private readonly deleteUser: DeleteUser) {}

  @Delete('me')
  @HttpCode(204)
  @ApiNoContentResponse()
  async deleteOwn(
    @Body({ schema: deleteAccountRequest }) body: DeleteAccountRequest,
    @IfMatch({ optional: true }) expected: number | undefined,
    @Ctx() context: Context,
  ): Promise<void> {
    await this.deleteUser.execute({ by: 'owner', password: body?.password }, expected, context);
  }

  @Delete(':id')
  @Roles('admin')
  @HttpCode(204)
  @ApiNoContentResponse()
  async delete(
    @Param('id', { schema: userId }) id: UserId,
    @IfMatch({ optional: true }) expected: number | undefined,
    @Ctx() context: Context,
  ): Promise<void> {
    await this.deleteUser.execute({ by: 'admin', userId: id }, expected, context);
  }
}
