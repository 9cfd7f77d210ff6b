import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { OutsideGateway } from '@atelier/auth';
import { AccessTokenSigner } from './access-token-signer.js';

/** The public keys of access tokens. Services read it directly, so it stands outside the gateway's guard. */
@ApiTags('auth')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly signer: AccessTokenSigner) {}

  @Get('jwks.json')
  @OutsideGateway()
  @Header('cache-control', 'public, max-age=300')
  jwks() {
    return this.signer.jwks;
  }
}
