import { globSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { EventDefinition } from '@atelier/kernel';

/** The checkout's root folder. */
export const root = path.resolve(import.meta.dirname, '../../..');

/** A fact as the contracts define it. Paths are relative to the root. */
export interface Contract {
  /** The name of the exported constant: `PurchaseCompleted`. */
  readonly name: string;
  readonly file: string;
  /** How code imports it: `@atelier/contracts/commerce/purchase.events`. */
  readonly specifier: string;
  readonly definition: EventDefinition;
}

const folder = 'libs/contracts/src';

/**
 * Every event that `libs/contracts/src/**\/*.events.ts` exports, by type.
 * @throws Error when two constants define one type, or a fact does not say in its data what it is about
 */
export async function loadContracts(): Promise<readonly Contract[]> {
  const contracts: Contract[] = [];
  for (const file of globSync(`${folder}/**/*.events.ts`, { cwd: root })) {
    const module = (await import(pathToFileURL(path.join(root, file)).href)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) {
      if (!isDefinition(value)) continue;
      const specifier = `@atelier/contracts/${file.slice(folder.length + 1, -'.ts'.length)}`;
      if (!(value.subjectField in value.example))
        throw new Error(
          `${name} in ${file} has no ${value.subjectField} in its data: say with subjectField what its subject is.`,
        );
      contracts.push({ name, file, specifier, definition: value });
    }
  }
  contracts.sort((a, b) => (a.definition.type < b.definition.type ? -1 : 1));
  for (const [index, { definition, file }] of contracts.entries()) {
    const before = contracts[index - 1];
    if (before?.definition.type === definition.type)
      throw new Error(`${definition.type} is defined twice: in ${before.file} and in ${file}.`);
  }
  return contracts;
}

/** A JSON Schema of the draft 2020-12, as far as zod writes it. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** What a reader of the event has to understand. Fields that it does not know are no error to it. */
export function schemaOf({ type, summary, schema }: EventDefinition): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return { $schema, $id: `urn:atelier:${type}`, title: type, description: summary, ...rest };
}

function isDefinition(value: unknown): value is EventDefinition {
  return typeof value === 'function' && 'topicOptions' in value && 'schema' in value && 'type' in value;
}
