import * as catalog from './catalog.js';
import type { Command } from './command.js';
import { explain } from './explain.js';
import * as read from './read.js';
import * as write from './write.js';

/** The commands that need a PostgreSQL connection, by name. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  insert: write.insert,
  update: write.update,
  delete: write.remove,
  findAndModify: write.findAndModify,
  findandmodify: write.findAndModify,
  find: read.find,
  aggregate: read.aggregate,
  getMore: read.getMore,
  count: read.count,
  distinct: read.distinct,
  validate: read.validate,
  listIndexes: read.listIndexes,
  listCollections: read.listCollections,
  explain,
  create: catalog.create,
  drop: catalog.drop,
  dropDatabase: catalog.dropDatabase,
  renameCollection: catalog.renameCollection,
  createIndexes: catalog.createIndexes,
  dropIndexes: catalog.dropIndexes,
  collMod: catalog.collMod,
  collStats: catalog.collStats,
  dbStats: catalog.dbStats,
  listDatabases: catalog.listDatabases,
};
