import { z } from 'zod';
import { defineEvent, type Change } from '@atelier/kernel';
import { DomainError, type Page } from '@atelier/kernel';
import type { Database } from './database.js';
import type { Outbox } from './outbox.js';
import { aggregateSchema, Repository, type PageRequest } from './repository.js';

/** The smallest aggregate: a number with a name and an owner. */
export interface Tally {
  readonly id: string;
  readonly version: number;
  readonly ownerId: string;
  readonly name: string;
  readonly value: number;
}

export const TallyRaised = defineEvent({
  type: 'shop.tally.raised.v1',
  summary: 'Somebody counted one more.',
  data: z.object({ value: z.int() }),
  example: { value: 1 },
});

export const startTally = (id: string, ownerId: string, name = id): Change<Tally> => ({
  state: { id, version: 0, ownerId, name, value: 0 },
  events: [],
});
export const raise = (tally: Tally): Change<Tally> => ({
  state: { ...tally, value: tally.value + 1 },
  events: [TallyRaised(tally.id, { value: tally.value + 1 })],
});

export class TallyRepository extends Repository<Tally, 'ownerId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: 'tallies',
      owner: ['ownerId'],
      schema: aggregateSchema<Tally>({
        ownerId: { type: String, required: true },
        name: { type: String, required: true },
        value: { type: Number, required: true, min: 0 },
      }).index({ ownerId: 1, name: 1 }, { unique: true }),
      onDuplicate: (state, fields) =>
        new DomainError({
          kind: 'conflict',
          code: 'shop.tally.exists',
          detail: `There is a tally ${state.name}.`,
          extra: { fields },
        }),
    });
  }

  byName(ownerId: string, name: string): Promise<Tally | undefined> {
    return this.one({ ownerId, name });
  }

  list(ownerId: string, page: PageRequest<Tally>): Promise<Page<Tally>> {
    return this.page({ ownerId }, page);
  }

  /** Does not compile without the owner; the directive fails the typecheck when it does. */
  byNameOfAnybody(name: string): Promise<Tally | undefined> {
    // @ts-expect-error a scoped filter must name the owner
    return this.one({ name });
  }
}
