import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx, Public } from '@atelier/auth';
import {
  ACCESS_TOKEN_LIFETIME_SECONDS,
  authView,
  logInRequest,
  logOutRequest,
  refreshRequest,
  registerRequest,
  type AuthView,
  type LogInRequest,
  type RegisterRequest,
} from '@atelier/contracts/identity/auth.api';
import type { Context } from '@atelier/kernel';
import { Idempotent } from '@atelier/service';
import { toUserView } from '../users/users.controller.js';
import { LogIn } from './log-in.usecase.js';
import { LogOut } from './log-out.usecase.js';
import { RefreshSession } from './refresh-session.usecase.js';
import { SignUp } from './sign-up.usecase.js';
import type { SignedInUser } from './start-session.usecase.js';

/** Registration and sessions. Answers hold tokens, so no cache may keep them. */
@ApiTags('auth')
@Controller('api/v1/auth')
@Public()
export class AuthController {
  constructor(
    private readonly signUp: SignUp,
    private readonly logIn: LogIn,
    private readonly refreshSession: RefreshSession,
    private readonly logOut: LogOut,
  ) {}

  @Post('register')
  @Idempotent()
  @ApiCreatedResponse({ standardSchema: authView })
  @Header('cache-control', 'no-store')
  async register(
    @Body({ schema: registerRequest }) body: RegisterRequest,
    @Ctx() context: Context,
  ): Promise<AuthView> {
    return toAuthView(await this.signUp.execute(body, context));
  }

  @Post('login')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: authView })
  @Header('cache-control', 'no-store')
  async login(
    @Body({ schema: logInRequest }) body: LogInRequest,
    @Ctx() context: Context,
  ): Promise<AuthView> {
    return toAuthView(await this.logIn.execute(body, context));
  }

  @Post('refresh')
  @HttpCode(200)
  @Idempotent()
  @ApiOkResponse({ standardSchema: authView })
  @Header('cache-control', 'no-store')
  async refresh(
    @Body({ schema: refreshRequest }) body: z.infer<typeof refreshRequest>,
    @Ctx() context: Context,
  ): Promise<AuthView> {
    return toAuthView(await this.refreshSession.execute(body.refreshToken, context));
  }

  @Post('logout')
  @HttpCode(204)
  async logout(
    @Body({ schema: logOutRequest }) body: z.infer<typeof logOutRequest>,
    @Ctx() context: Context,
  ): Promise<void> {
    await this.logOut.execute(body?.refreshToken, context);
  }
}

const toAuthView = ({ user, accessToken, refreshToken }: SignedInUser): AuthView => ({
  user: toUserView(user),
  accessToken,
  refreshToken,
  expiresIn: ACCESS_TOKEN_LIFETIME_SECONDS,
});
