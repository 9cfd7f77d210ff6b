import { Module } from '@nestjs/common';
import { Database } from '@atelier/persistence';
import type { ConfigOf } from '@atelier/service';
import { studioConfig } from '../studio.config.js';
import { FolderObjectStore } from './folder-object-store.js';
import { GridFsObjectStore } from './gridfs-object-store.js';
import { ObjectStore } from './object-store.js';

/** The object store that the environment names. */
@Module({
  providers: [
    {
      provide: ObjectStore,
      inject: [studioConfig.token, Database],
      useFactory: (config: ConfigOf<typeof studioConfig>, database: Database): ObjectStore =>
        config.OBJECT_STORE === 'gridfs'
          ? new GridFsObjectStore(database.connection)
          : new FolderObjectStore(config.OBJECTS_DIR),
    },
  ],
  exports: [ObjectStore],
})
export class ObjectsModule {}
