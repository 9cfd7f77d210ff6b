export { aContext, aService, aUser, aVisitor } from './actors.js';
export { aDatabaseName, openDatabase, type OpenDatabase } from './database.js';
export { infrastructure } from './environment.js';
export { eventually } from './eventually.js';
export { recordQueries, type RecordedQueries } from './queries.js';
export { seeded, STRESS_SEED } from './seeded.js';
export { startService, type Answer, type Client, type ServiceUnderTest } from './service.js';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
export { deleteTopics } from './topics.js';
