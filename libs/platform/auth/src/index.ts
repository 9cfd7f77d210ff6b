export * from './access-token.js';
export * from './actor-header.js';
export * from './actor.guard.js';
export * from './claims.js';
export { OutsideGateway, Public, Roles, Scopes, ServiceOnly, SignedIn } from './decorators.js';
export { contextOf, Ctx, isWellFormedId, setContextOf } from './request-context.js';
