import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { CreditsGranted, CreditsSpent } from '@atelier/contracts/ledger/credits.events';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { exampleEnvelope } from '@atelier/kernel';
import { OpenApiDocument } from '@atelier/service';
import { aUser, recordQueries, startService, type ServiceUnderTest } from '@atelier/testing';
import { analyticsConfig } from './analytics.config.js';
import { AnalyticsModule } from './analytics.module.js';

/** Everything that analytics asks its database: a new report or view fails here first. */
describe('what analytics asks its database', () => {
  let analytics: ServiceUnderTest;
  beforeAll(async () => {
    analytics = await startService(AnalyticsModule, analyticsConfig);
  });
  afterAll(() => analytics?.close());

  it('is asked by every view and every report, and always finds an index (issue 5)', async () => {
    const queries = recordQueries(analytics.database);
    await analytics.publish(
      exampleEnvelope(PurchaseCompleted),
      exampleEnvelope(PurchaseRefunded, undefined, { version: 2 }),
      exampleEnvelope(CreditsGranted),
      exampleEnvelope(CreditsSpent, undefined, { version: 2 }),
      exampleEnvelope(JobFinished),
    );
    const { paths } = await analytics.app.get(OpenApiDocument, { strict: false }).get();
    const reports = Object.keys(paths).filter((path) => path.startsWith('/api/'));
    expect(reports).toHaveLength(3);
    for (const path of reports)
      expect((await analytics.as(aUser('admin')).get(`${path}?from=2026-11-01&to=2026-11-30`)).status).toBe(
        200,
      );
    const inbox = await analytics.database.connection.collection('_inbox').find({}).toArray();
    expect(new Set(inbox.map(({ _id }) => String(_id).split(':')[0]))).toEqual(
      new Set(['analytics.sales-daily', 'analytics.credits-daily', 'analytics.jobs-daily']),
    );
    await queries.expectEveryQueryToUseAnIndex();
  });
});
