import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isRoot } from '../setup.mjs';
import { clusterFolder, removeCluster } from './cluster.js';

const asRoot = isRoot() ? describe : describe.skip;

describe('the folder of a cluster', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'cluster-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is the one that was asked for, where the server can reach it', () => {
    expect(clusterFolder('/documentdb')).toBe('/documentdb');
  });

  asRoot('below a folder that nobody can enter', () => {
    it('is another one, the same at each start', () => {
      const asked = path.join(folder, 'documentdb');
      const first = clusterFolder(asked);
      expect(first).toMatch(/^\/var\/lib\/atelier\/documentdb-[0-9a-f]{16}$/);
      expect(clusterFolder(asked)).toBe(first);
    });

    it('is a new one when the data folder was deleted', () => {
      const asked = path.join(folder, 'documentdb');
      const first = clusterFolder(asked);
      rmSync(asked, { recursive: true });
      expect(clusterFolder(asked)).not.toBe(first);
    });

    it('goes with the folder that was asked for, when that is removed', () => {
      const asked = path.join(folder, 'documentdb');
      const real = clusterFolder(asked);
      mkdirSync(real, { recursive: true });
      removeCluster(asked);
      expect([existsSync(real), existsSync(asked)]).toEqual([false, false]);
    });
  });
});
