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
    await model.createIndexes();
    const { toCreate, toDrop } = await model.diffIndexes();
    if (toCreate.length > 0) {
      throw new Error(
        `${model.collection.collectionName}: the database has no index ${JSON.stringify(toCreate)}. ` +
          'An index with the same name and another definition is in the way; write a migration that drops it.',
      );
    }
    for (const name of toDrop) {
      log.warn?.(
        `${model.collection.collectionName}: index ${String(name)} is in the database and in no schema`,
      );
    }
  }
}

async function createCollection(model: Pick<mongoose.Model<unknown>, 'createCollection'>): Promise<void> {
  try {
    await model.createCollection();
  } catch (error) {
    // Another replica was faster.
    if ((error as { codeName?: string }).codeName !== 'NamespaceExists') throw error;
  }
}
