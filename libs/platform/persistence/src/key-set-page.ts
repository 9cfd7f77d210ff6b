import type mongoose from 'mongoose';
import { z } from 'zod';
import type { Page } from '@atelier/kernel';
import { decodeCursor, encodeCursor } from '@atelier/service';
import { currentSession } from './transaction.js';

/** The order of a list: by a field, ties by another that is unique within it. Its index ends in both. */
export interface KeySetOrder {
  readonly by: string;
  readonly direction: 1 | -1;
  /** Default `_id`; the field itself when it has no ties. */
  readonly tie?: string;
}

export interface KeySetRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Fields that are not read. */
  readonly without?: readonly string[];
}

type Filter<Row> = mongoose.mongo.Filter<Row>;

/** A page goes on behind the last row of the one before, so rows that come or go meanwhile shift nothing. */
export async function keySetPage<Row extends mongoose.mongo.Document>(
  rows: mongoose.mongo.Collection<Row>,
  filter: Filter<Row>,
  { limit, cursor, without = [] }: KeySetRequest,
  { by, direction, tie = '_id' }: KeySetOrder,
): Promise<Page<mongoose.mongo.WithId<Row>>> {
  const order = { by, direction, tie };
  const rest = cursor ? ({ $and: [filter, behind<Row>(cursor, order)] } as Filter<Row>) : filter;
  const found = await rows
    .find(rest, {
      session: currentSession(),
      projection: Object.fromEntries(without.map((field) => [field, 0])),
    })
    .sort({ [by]: direction, [tie]: direction })
    .limit(limit + 1)
    .toArray();
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, nextCursor: last ? cursorOf(last, order) : null };
}

/** Where a page ended, and in which order: a cursor of a list with another order would skip and repeat. */
const cursorSchema = ({ by, direction }: KeySetOrder) =>
  z.tuple([
    z.union([z.string(), z.number(), z.null()]),
    z.union([z.string(), z.number()]),
    z.enum(['date', 'plain']),
    z.literal(by),
    z.literal(direction),
  ]);

function cursorOf(row: mongoose.mongo.Document, { by, direction, tie }: Required<KeySetOrder>): string {
  const value: unknown = row[by];
  const [place, type] = value instanceof Date ? [value.toISOString(), 'date'] : [value, 'plain'];
  return encodeCursor([place, row[tie], type, by, direction]);
}

function behind<Row>(cursor: string, order: Required<KeySetOrder>): Filter<Row> {
  const { by, direction, tie } = order;
  const [place, last, type] = decodeCursor(cursor, cursorSchema(order));
  const value = type === 'date' ? new Date(String(place)) : place;
  const beyond = direction === 1 ? '$gt' : '$lt';
  return {
    $or: [{ [by]: { [beyond]: value } }, { [by]: value, [tie]: { [beyond]: last } }],
  } as unknown as Filter<Row>;
}
