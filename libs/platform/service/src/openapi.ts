import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { PROBLEM_RESPONSE, PROBLEM_SCHEMAS } from './openapi-problem.js';

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
      .addGlobalResponse({ status: 'default', ...PROBLEM_RESPONSE })
      .build();
    this.make = () => {
      const document = SwaggerModule.createDocument(app, config);
      document.components = {
        ...document.components,
        schemas: { ...document.components?.schemas, ...PROBLEM_SCHEMAS },
      };
      return document;
    };
  }

  get(): OpenAPIObject | Promise<OpenAPIObject> {
    if (!this.make) throw new Error('the service is still starting');
    this.document ??= this.make();
    return this.document;
  }
}
