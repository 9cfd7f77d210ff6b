import { z } from 'zod';
import { EVENT_TYPE, type EventEnvelope } from '@atelier/kernel';
import type { BusRecord } from './event-bus.js';

/**
 * CloudEvents 1.0, Kafka binding, binary mode: attributes as `ce_…` headers, data as the value. Extensions are
 * lower-case letters and digits only, as the specification asks.
 */
export function toRecord(envelope: EventEnvelope): BusRecord {
  return {
    key: envelope.subject,
    value: JSON.stringify(envelope.data),
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: envelope.id,
      ce_type: envelope.type,
      ce_source: envelope.source,
      ce_subject: envelope.subject,
      ce_time: envelope.time,
      ce_version: String(envelope.version),
      ce_actor: envelope.actor,
      ce_correlationid: envelope.correlationId,
      ce_causationid: envelope.causationId,
      ...(envelope.tenantId ? { ce_tenantid: envelope.tenantId } : {}),
      ...(envelope.traceparent ? { traceparent: envelope.traceparent } : {}),
    },
  };
}

/** Which event the record says it is; undefined when it says nothing of the form that every version of ours states. */
export function eventTypeOf({ headers }: BusRecord): string | undefined {
  const type = headers['ce_type'];
  return type !== undefined && EVENT_TYPE.test(type) ? type : undefined;
}

const headersSchema = z.object({
  ce_id: z.string().min(1),
  ce_type: z.string().regex(EVENT_TYPE),
  ce_source: z.string(),
  ce_subject: z.string(),
  ce_time: z.string(),
  ce_version: z.coerce.number().int().positive(),
  ce_actor: z.string().default('anonymous:anonymous'),
  ce_correlationid: z.string(),
  ce_causationid: z.string(),
  ce_tenantid: z.string().optional(),
  traceparent: z.string().optional(),
});

/** Reads a record back. Throws when it is no event: such a record is a dead letter at once, retrying cannot mend it. */
export function fromRecord(record: BusRecord): EventEnvelope {
  const headers = headersSchema.parse(record.headers);
  return {
    id: headers.ce_id,
    type: headers.ce_type,
    source: headers.ce_source,
    subject: headers.ce_subject,
    version: headers.ce_version,
    time: headers.ce_time,
    actor: headers.ce_actor,
    ...(headers.ce_tenantid ? { tenantId: headers.ce_tenantid } : {}),
    correlationId: headers.ce_correlationid,
    causationId: headers.ce_causationid,
    ...(headers.traceparent ? { traceparent: headers.traceparent } : {}),
    data: JSON.parse(record.value ?? 'null') as unknown,
  };
}
