import { newId } from '@atelier/kernel';
import { eventBusContract } from './event-bus.contract.js';
import { MemoryBus } from './memory-bus.js';

describe('the bus in memory', () => {
  eventBusContract(() => Promise.resolve(new MemoryBus()), newId('contract'));
});
