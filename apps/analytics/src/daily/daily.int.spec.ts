import { creditsReport, jobsReport, salesReport } from '@atelier/contracts/analytics/daily.api';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { CreditsGranted, CreditsSpent } from '@atelier/contracts/ledger/credits.events';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { exampleEnvelope, newId, type EventEnvelope } from '@atelier/kernel';
import { toRecord } from '@atelier/messaging';
import { aService, aUser, aVisitor, startService, type ServiceUnderTest } from '@atelier/testing';
import { analyticsConfig } from '../analytics.config.js';
import { AnalyticsModule } from '../analytics.module.js';
import { SalesDaily } from '../sales/sales-daily.projection.js';

const PATH = '/api/v1/analytics';
let service: ServiceUnderTest;
beforeEach(async () => {
  service = await startService(AnalyticsModule, analyticsConfig);
});
afterEach(() => service?.close());

const DAY = '2026-11-21';
const NEXT = '2026-11-22';
const at = (day: string, clock = '08:00:00.000') => `${day}T${clock}Z`;
const sellerId = newId('usr');
const seller = { kind: 'user', id: sellerId, role: 'user' } as const;
const sale = (day = DAY, overrides: Partial<(typeof PurchaseCompleted)['example']> = {}) =>
  exampleEnvelope(
    PurchaseCompleted,
    { ...PurchaseCompleted.example, sellerId, completedAt: at(day), ...overrides },
    { subject: newId('pur') },
  );
const refund = (day: string) =>
  exampleEnvelope(
    PurchaseRefunded,
    { ...PurchaseRefunded.example, sellerId, refundedAt: at(day) },
    { subject: newId('pur') },
  );
const granted = (amount: number, type: (typeof CreditsGranted)['example']['type'], day = DAY) =>
  exampleEnvelope(
    CreditsGranted,
    { ...CreditsGranted.example, amount, type },
    { subject: newId('usr'), time: at(day) },
  );
const spent = (amount: number, type: (typeof CreditsSpent)['example']['type'], day = DAY) =>
  exampleEnvelope(
    CreditsSpent,
    { ...CreditsSpent.example, amount, type },
    { subject: newId('usr'), time: at(day) },
  );
const job = (overrides: Partial<(typeof JobFinished)['example']> = {}) =>
  exampleEnvelope(
    JobFinished,
    { ...JobFinished.example, durationMs: 100, finishedAt: at(DAY), ...overrides },
    { subject: newId('job') },
  );
const none = {
  count: 0,
  creditsGross: 0,
  creditsEarned: 0,
  refundCount: 0,
  creditsRefunded: 0,
  creditsReturned: 0,
};
const salesOf = async (from = DAY, to = NEXT) =>
  salesReport.parse((await service.as(seller).get(`${PATH}/sales?from=${from}&to=${to}`)).body);
const admin = () => service.as(aUser('admin'));

describe('sales', () => {
  it('count on the day of the sale, refunds on their own, whichever comes first', async () => {
    await service.publish(refund(NEXT), sale(), sale(), sale(NEXT));
    const one = { count: 1, creditsGross: 100, creditsEarned: 80 };
    const refunded = { refundCount: 1, creditsRefunded: 100, creditsReturned: 80 };
    expect(await salesOf('2026-11-20')).toEqual({
      items: [
        { day: '2026-11-20', ...none },
        { day: DAY, ...none, count: 2, creditsGross: 200, creditsEarned: 160 },
        { day: NEXT, ...one, ...refunded },
      ],
      totals: { count: 3, creditsGross: 300, creditsEarned: 240, ...refunded },
    });
  });

  it('count once each, however often their facts come', async () => {
    await service.redeliver(sale());
    await service.redeliver(refund(DAY));
    expect((await salesOf()).totals).toMatchObject({ count: 1, refundCount: 1 });
  });

  it('are not counted when the transaction that notes the fact as handled falls', async () => {
    const projection = service.app.get(SalesDaily, { strict: false });
    const falls = service.database.transaction(async () => {
      await projection.handle(sale());
      throw new Error('the process died');
    });
    await expect(falls).rejects.toThrow('the process died');
    expect((await salesOf()).totals).toEqual(none);
  });

  it('belong to the UTC day to the millisecond', async () => {
    await service.publish(
      sale(DAY, { completedAt: at(DAY, '23:59:59.999') }),
      sale(DAY, { completedAt: at(NEXT, '00:00:00.000') }),
    );
    expect((await salesOf()).items.map(({ count }: { count: number }) => count)).toEqual([1, 1]);
  });

  it('are the seller’s own: others see none of them, visitors get 401', async () => {
    await service.publish(sale());
    const query = `?from=${DAY}&to=${DAY}`;
    const other = await service.as(aUser('super_admin')).get(`${PATH}/sales${query}`);
    expect(other.body.totals).toEqual(none);
    expect((await service.as(aVisitor).get(`${PATH}/sales${query}`)).status).toBe(401);
  });

  it('of one seller that come all at once are all counted', async () => {
    const sales = Array.from({ length: 120 }, () => sale());
    await service.bus.send([{ topic: PurchaseCompleted.topic, records: sales.map(toRecord) }]);
    await service.settled();
    expect((await salesOf()).totals).toMatchObject({ count: 120, creditsEarned: 9_600 });
    expect(await service.deadLetters()).toEqual([]);
  });
});

describe('the platform’s numbers', () => {
  it('tell the credits granted and spent per day and what for', async () => {
    await service.redeliver(granted(500, 'earn_purchase'));
    await service.publish(granted(80, 'earn_sale'), spent(100, 'spend_marketplace'));
    await service.publish(spent(5, 'spend_enhancement', NEXT));
    const { status, body } = await admin().get(`${PATH}/credits?from=${DAY}&to=${NEXT}`);
    const first = {
      granted: 580,
      spent: 100,
      grantedByType: { earn_purchase: 500, earn_sale: 80 },
      spentByType: { spend_marketplace: 100 },
    };
    const second = { granted: 0, spent: 5, grantedByType: {}, spentByType: { spend_enhancement: 5 } };
    expect([status, creditsReport.parse(body)]).toEqual([
      200,
      {
        items: [
          { day: DAY, ...first },
          { day: NEXT, ...second },
        ],
        totals: { ...first, spent: 105, spentByType: { spend_marketplace: 100, spend_enhancement: 5 } },
      },
    ]);
  });

  it('tell the jobs by outcome, of all kinds and of visitors too', async () => {
    await service.redeliver(job());
    const unpaid = { chargedCredits: 0, resultId: null, reason: 'empty' };
    await service.publish(
      job({ kind: 'agent_task', chargedCredits: 7 }),
      job({ ...unpaid, outcome: 'failed', userId: null }),
      job({ ...unpaid, outcome: 'canceled', durationMs: 0 }),
    );
    const { body } = await admin().get(`${PATH}/jobs?from=${DAY}&to=${DAY}`);
    const totals = { completed: 2, failed: 1, canceled: 1, creditsCharged: 12, durationMs: 300 };
    expect(jobsReport.parse(body)).toEqual({ items: [{ day: DAY, ...totals }], totals });
  });

  it.each(['credits', 'jobs'])('of %s are for admins', async (what) => {
    const path = `${PATH}/${what}?from=${DAY}&to=${DAY}`;
    expect((await service.as(aUser()).get(path)).status).toBe(403);
    expect((await service.as(aUser('moderator')).get(path)).status).toBe(403);
    expect((await service.as(aVisitor).get(path)).status).toBe(401);
    expect((await service.as(aUser('super_admin')).get(path)).status).toBe(200);
  });
});

describe('a range', () => {
  it.each([
    ['without an end', `from=${DAY}`, '/to'],
    ['that ends before it begins', `from=${NEXT}&to=${DAY}`, '/to'],
    ['of a day that is none', `from=2026-02-30&to=${DAY}`, '/from'],
    ['of a time', `from=${DAY}T00:00:00Z&to=${DAY}`, '/from'],
    ['longer than 366 days', 'from=2027-01-01&to=2028-01-02', '/to'],
    ['with an unknown field', `from=${DAY}&to=${DAY}&sellerId=usr_1`, '/sellerId'],
  ])('%s is refused by name', async (_, query, pointer) => {
    const refused = await service.as(seller).get(`${PATH}/sales?${query}`);
    expect(refused.status).toBe(400);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.body.errors).toEqual([expect.objectContaining({ pointer })]);
  });

  it('of 366 days is answered in full', async () => {
    expect((await salesOf('2028-01-01', '2028-12-31')).items).toHaveLength(366);
  });
});

describe('a rebuild', () => {
  const VIEWS = ['view_sales_daily', 'view_credits_daily', 'view_jobs_daily'];
  const PROJECTIONS = ['analytics.sales-daily', 'analytics.credits-daily', 'analytics.jobs-daily'];
  const stored = () =>
    Promise.all(
      VIEWS.map((view) => service.database.connection.collection(view).find({}).sort({ _id: 1 }).toArray()),
    );
  const replay = (id: string) =>
    service.as(aService('operations')).post(`/internal/projections/${id}/replay`);

  it('gives exactly the same numbers, of damaged views too and as often as one likes', async () => {
    const facts: EventEnvelope[] = [
      ...Array.from({ length: 20 }, (_, i) => sale(i % 2 ? DAY : NEXT)),
      refund(NEXT),
      granted(500, 'earn_purchase'),
      spent(100, 'spend_marketplace', NEXT),
      job(),
      job({ kind: 'box_action', outcome: 'failed', chargedCredits: 0, reason: 'empty' }),
    ];
    await service.publish(...facts, ...facts);
    const before = await stored();
    for (const rows of before) expect(rows.length).toBeGreaterThan(0);
    await service.database.connection.collection('view_sales_daily').updateMany({}, { $inc: { count: 7 } });
    await service.database.connection.collection('view_jobs_daily').deleteMany({});
    for (const id of [...PROJECTIONS, ...PROJECTIONS]) {
      const { status, body } = await replay(id);
      expect([status, body.events > 0]).toEqual([200, true]);
    }
    expect(await stored()).toEqual(before);
  });

  it('of one view leaves the others alone, and counting goes on after it', async () => {
    await service.publish(sale(), job());
    const [, , jobsBefore] = await stored();
    await replay('analytics.sales-daily');
    await service.publish(sale());
    expect((await salesOf()).totals).toMatchObject({ count: 2 });
    expect((await stored())[2]).toEqual(jobsBefore);
  });

  it('is for services, and of what there is', async () => {
    const path = '/internal/projections/analytics.sales-daily/replay';
    expect((await service.as(aUser('super_admin')).post(path)).status).toBe(403);
    expect((await replay('analytics.nothing')).status).toBe(404);
  });
});
