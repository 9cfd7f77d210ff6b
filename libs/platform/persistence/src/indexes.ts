import type { LoggerService } from '@nestjs/common';
import type mongoose from 'mongoose';

/**
 * Creates every collection and index that the schemas declare and checks that the database now has them. An
 * index that the database has and no schema declares is named in the log and left: dropping one is a migration.
 */
export async function ensureIndexes(connection: mongoose.Connection, log: LoggerService): Promise<void> {
  const existing = new Set(
    (await connection.db!.listCollections({}, { nameOnly: true }).toArray()).map((c) => c.name),
  );
  for (const model of Object.values(connection.models) as mongoose.Model<unknown>[]) {
    // Transactions must not be the first to touch a collection, so each is made here.
    if (!existing.has(model.collection.collectionName)) await createCollection(model);
    await model.createIndexes().catch((error: unknown) => {
      throw isInTheWay(error) ? missing(model, (error as Error).message, error) : error;
    });
    const { toCreate, toDrop } = await model.diffIndexes();
    if (toCreate.length > 0) throw missing(model, `there is no index ${JSON.stringify(toCreate)}`);
    for (const name of toDrop) {
      log.warn?.(
        `${model.collection.collectionName}: index ${String(name)} is in the database and in no schema`,
      );
    }
  }
}

const INDEX_OPTIONS_CONFLICT = 85;
const INDEX_KEY_SPECS_CONFLICT = 86;
const isInTheWay = (error: unknown): boolean =>
  [INDEX_OPTIONS_CONFLICT, INDEX_KEY_SPECS_CONFLICT].includes((error as { code?: number }).code ?? 0);

const missing = (model: Pick<mongoose.Model<unknown>, 'collection'>, what: string, cause?: unknown): Error =>
  new Error(
    `${model.collection.collectionName}: ${what}. An index with another definition is in the way; ` +
      'write a migration that drops it.',
    { cause },
  );

async function createCollection(model: Pick<mongoose.Model<unknown>, 'createCollection'>): Promise<void> {
  try {
    await model.createCollection();
  } catch (error) {
    // Another replica was faster.
    if ((error as { codeName?: string }).codeName !== 'NamespaceExists') throw error;
  }
}
