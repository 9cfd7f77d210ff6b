import { defaultCacheDir, ensureDocumentDb } from '../setup.mjs';
import { Adapter } from './adapter.js';
import { freePort, startCluster, type Cluster } from './cluster.js';
import type { MaintenanceOptions } from './maintenance.js';

export { removeCluster } from './cluster.js';

/** What an instance is started with. */
export interface InstanceOptions extends MaintenanceOptions {
  /** Folder for the data; created when missing. */
  dataDir: string;
  /** Port for MongoDB clients on 127.0.0.1; a free one when absent. */
  port?: number;
  /** Port of PostgreSQL on 127.0.0.1; a free one when absent. */
  postgresPort?: number;
  /** False for throwaway data. Default true. */
  fsync?: boolean;
  /** Cache of the unpacked engine. */
  cacheDir?: string;
  onProgress?: (text: string, fraction?: number) => void;
}

/** A running document database: the cluster and the adapter in front of it. */
export interface Instance {
  uri: string;
  cluster: Cluster;
  stop(): Promise<void>;
}

/** Fetches the engine when needed, and starts the cluster and the adapter. */
export async function startDocumentDb(options: InstanceOptions): Promise<Instance> {
  const { cacheDir = defaultCacheDir(), onProgress } = options;
  const { bin } = await ensureDocumentDb({ cacheDir, onProgress });
  const { dataDir, postgresPort, fsync, sweepMs } = options;
  const cluster = await startCluster({ bin, dataDir, port: postgresPort, fsync });
  try {
    const port = options.port ?? (await freePort());
    const adapter = await Adapter.start({ port, postgresPort: cluster.port, sweepMs });
    const stop = async () => {
      await adapter.stop();
      await cluster.stop();
    };
    return { uri: adapter.uri, cluster, stop };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
