import { finished } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import mongoose from 'mongoose';
import { ObjectMissing, ObjectStore } from './object-store.js';

const BUCKET = 'objects';
const REVISIONS_MAX = 100;

/** Objects in the service's own MongoDB (R611, R612): replicated and backed up with the documents. */
export class GridFsObjectStore extends ObjectStore {
  /** One for all: a new one would look again whether its indexes are there. */
  private opened: mongoose.mongo.GridFSBucket | undefined;

  constructor(private readonly connection: mongoose.Connection) {
    super();
  }

  /** GridFS keeps every upload as a revision: the newest counts, and the older ones go once it is complete. */
  protected async write(key: string, bytes: Buffer): Promise<void> {
    const upload = (await this.bucket()).openUploadStream(key);
    upload.end(bytes);
    await finished(upload);
    // Only older ones: of two that replace the object at once, one must be left.
    await this.deleteRevisions({ filename: key, _id: { $lt: upload.id } });
  }

  protected async openStream(key: string): Promise<Readable> {
    const bucket = await this.bucket();
    const [newest] = await bucket.find({ filename: key }).sort({ _id: -1 }).limit(1).toArray();
    if (!newest) throw new ObjectMissing(key);
    return bucket.openDownloadStream(newest._id);
  }

  protected async delete(key: string): Promise<void> {
    await this.deleteRevisions({ filename: key });
  }

  private async deleteRevisions(filter: mongoose.mongo.Filter<mongoose.mongo.GridFSFile>): Promise<void> {
    const bucket = await this.bucket();
    for (const { _id } of await bucket.find(filter).limit(REVISIONS_MAX).toArray()) {
      await bucket.delete(_id).catch((error: unknown) => {
        // Somebody else who replaced the object was faster.
        if (!(error instanceof mongoose.mongo.MongoRuntimeError)) throw error;
      });
    }
  }

  private async bucket(): Promise<mongoose.mongo.GridFSBucket> {
    const { db } = await this.connection.asPromise();
    return (this.opened ??= new mongoose.mongo.GridFSBucket(db!, { bucketName: BUCKET }));
  }
}
