export {
  Consumer,
  Projection,
  type ConsumerOptions,
  type Consumes,
  type EventOf,
  type Projects,
} from './consumer.js';
export { DeadLetters, deadTopic, retryTopic, type DeadLetter } from './dead-letters.js';
export { messagingEnvironment } from './environment.js';
export { EventBus, lagOf } from './event-bus.js';
export { KafkaBus } from './kafka-bus.js';
export { fromRecord, toRecord } from './message.js';
export { MessagingModule } from './messaging.module.js';
