import { Logger } from '@nestjs/common';
import { isDefinedEvent } from '@atelier/kernel';
import { counter } from '@atelier/observability';
import type { ReceivedRecord } from './event-bus.js';
import { eventTypeOf } from './message.js';

const unknown = counter(
  'atelier_consumer_unknown_events_total',
  'Events passed over because no contract of this version defines their type.',
  ['group'],
);
/** Anybody may write a type of his own on each record: the log and this memory end somewhere. */
const TYPES_TOLD_MAX = 100;

/**
 * Tells of facts that no contract here defines. A newer producer states such facts before its consumers are updated, so
 * they are no dead letters; whoever forgot to update one, or wrote something foreign, sees it here.
 */
export class UnknownTypes {
  private readonly log = new Logger('consumer');
  private readonly told = new Set<string>();

  /** Counts each of them, and logs each type once. Does nothing for a type that this version knows. */
  note(group: string, record: ReceivedRecord): void {
    const type = eventTypeOf(record);
    if (type === undefined || isDefinedEvent(type)) return;
    unknown.inc({ group });
    if (this.told.has(type) || this.told.size >= TYPES_TOLD_MAX) return;
    this.told.add(type);
    this.log.warn(`${group}: ${type} on ${record.topic} is passed over: this version has no such contract`);
  }
}
