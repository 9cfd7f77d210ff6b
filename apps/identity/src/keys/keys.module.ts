import { Module } from '@nestjs/common';
import { AccessTokenSigner } from './access-token-signer.js';
import { DerivedKeys } from './derived-keys.js';
import { JwksController } from './jwks.controller.js';

@Module({
  controllers: [JwksController],
  providers: [AccessTokenSigner, DerivedKeys],
  exports: [AccessTokenSigner, DerivedKeys],
})
export class KeysModule {}
