import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

/** The OpenAPI 3.1 document of this service, made from its routes and zod schemas when it is first asked for. */
export class OpenApiDocument {
  private make: (() => OpenAPIObject) | undefined;
  private document: OpenAPIObject | undefined;

  describe(app: INestApplication, service: string): void {
    const config = new DocumentBuilder()
      .setTitle(`Atelier ${service}`)
      .setVersion('1')
      .setOpenAPIVersion('3.1.0')
      .addBearerAuth()
      .build();
    this.make = () => SwaggerModule.createDocument(app, config);
  }

  get(): OpenAPIObject | Promise<OpenAPIObject> {
    if (!this.make) throw new Error('the service is still starting');
    this.document ??= this.make();
    return this.document;
  }
}
