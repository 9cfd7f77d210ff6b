import path from 'node:path';
import { playHttpFile } from '@atelier/operations/http';
import type { Platform } from './platform.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');

export function httpFiles(platform: () => Platform): void {
  it.each(['identity', 'catalog', 'commerce', 'ledger', 'studio', 'notifications', 'analytics'])(
    '%s.http works as it is written, in order, on a platform that has seen nothing yet',
    async (app) => {
      const file = path.join(ROOT, `apps/${app}/${app}.http`);
      const { outcomes, ok, table } = await playHttpFile(file, platform().urls);
      expect(
        outcomes.filter(({ mismatch }) => mismatch).map(({ request, mismatch }) => [request.title, mismatch]),
      ).toEqual([]);
      expect([ok, table]).toEqual([true, expect.stringContaining('status')]);
    },
  );
}
