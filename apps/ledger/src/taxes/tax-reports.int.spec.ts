import { jest } from '@jest/globals';
import { exampleEnvelope } from '@atelier/kernel';
import { aService, aUser, aVisitor, recordQueries } from '@atelier/testing';
import { PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { StatementRepository } from '../accounts/statement.repository.js';
import { ApprovedPayouts } from '../payouts/approved-payouts.job.js';
import { Sellers, type User } from '../payouts/seller.fixture.js';
import { pdfText } from './pdf-text.fixture.js';

const REPORTS = '/api/v1/billing/tax-reports';
let sellers: Sellers;
let seller: User;
beforeAll(async () => {
  sellers = await Sellers.start();
});
beforeEach(async () => {
  await sellers.empty();
  await fill();
});
async function fill(): Promise<void> {
  seller = aUser();
  // 2026: two sales, one payout. 2027: the refund of one of them.
  await sellers.sell(seller, 1000, 200);
  const purchase = await sellers.sell(seller, 500, 100);
  sellers.clock.pass(14);
  await sellers.method(seller);
  const { id } = (await sellers.request(seller, 300)).body;
  await sellers.decide(id, 'approve');
  await sellers.get(ApprovedPayouts).sweep();
  sellers.clock.time = new Date('2027-03-01T00:00:00Z');
  const refund = { ...PurchaseRefunded.example, ...purchase };
  await sellers.ledger.publish(exampleEnvelope(PurchaseRefunded, refund, { subject: purchase.purchaseId }));
}
afterAll(() => sellers.ledger.close());

const report = async (year: number, query = '', user = seller) =>
  sellers.ledger.as(user).get(`${REPORTS}/${year}${query}`);
const stored = () =>
  sellers.ledger.database.connection.collection('tax_reports').countDocuments({ closedAt: { $ne: null } });

const LINES_OF_2026 = [
  {
    ...{ asset: 'credits', gross: '1500', fees: '300', refunds: '0', net: '1200', payouts: '300' },
  },
  { asset: 'USD', gross: '900', fees: '0', refunds: '0', net: '900', payouts: '900' },
];

describe('tax reports', () => {
  it('tell of a year per asset, and keep it once it is closed', async () => {
    const closedAt = sellers.clock.now().toISOString();
    const closed = { year: 2026, closed: true, closedAt, lines: LINES_OF_2026 };
    expect((await report(2026)).body).toEqual(closed);
    expect(await stored()).toBe(1);
    sellers.clock.pass(30);
    expect((await report(2026)).body).toEqual(closed);
    expect((await sellers.ledger.as(seller).get(REPORTS)).body).toEqual({
      items: [closed],
      nextCursor: null,
    });
  });

  it('of the year that is under way grow with it, and are in no list', async () => {
    const lines = () => report(2027).then(({ body }) => body.lines as unknown[]);
    expect(await lines()).toEqual([
      { asset: 'credits', gross: '0', fees: '-100', refunds: '500', net: '-400', payouts: '0' },
    ]);
    await sellers.sell(seller, 50, 10);
    expect(await lines()).toEqual([
      { asset: 'credits', gross: '50', fees: '-90', refunds: '500', net: '-360', payouts: '0' },
    ]);
    expect((await report(2027)).body).toMatchObject({ closed: false, closedAt: null });
    expect(await stored()).toBe(0);
    const years = (await sellers.ledger.as(seller).get(REPORTS)).body.items as { year: number }[];
    expect(years.map(({ year }) => year)).toEqual([2026]);
  });

  it('come as CSV too', async () => {
    const { headers, body } = await report(2026, '?format=csv');
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('content-disposition')).toContain('tax-report-2026.csv');
    expect(body).toBe(
      'asset,gross,fees,refunds,net,payouts\r\ncredits,1500,300,0,1200,300\r\nUSD,900,0,0,900,900\r\n',
    );
  });

  it('come as PDF too, of a closed year always the same one', async () => {
    const closedAt = sellers.clock.now();
    const { headers, body } = await report(2026, '?format=pdf');
    expect(headers.get('content-type')).toBe('application/pdf');
    expect(headers.get('content-disposition')).toBe('attachment; filename="tax-report-2026.pdf"');
    expect(body).toMatch(/^%PDF-[^]*%%EOF\s*$/);
    const text = pdfText(body as string);
    expect(text).toContain(`Seller: ${seller.id}`);
    expect(text).toContain(`Closed on ${closedAt.toISOString().slice(0, 10)}`);
    expect(text).toContain(['Credits', 1500, 300, 0, 1200, 300].join('\n'));
    expect(text).toContain(['USD', '9.00', '0.00', '0.00', '9.00', '9.00'].join('\n'));
    sellers.clock.pass(30);
    expect((await report(2026, '?format=pdf')).body).toBe(body);
    expect(pdfText((await report(2027, '?format=pdf')).body as string)).toContain('Not closed');
    expect((await report(2028, '?format=pdf')).body.code).toBe('ledger.tax_report.not_found');
    expect(await stored()).toBe(1);
  });

  it('are closed once, when several ask at the same time, and list every closed year', async () => {
    sellers.clock.time = new Date('2029-02-01T00:00:00Z');
    const client = sellers.ledger.as(seller);
    const lists = await Promise.all([1, 2, 3, 4].map(() => client.get(`${REPORTS}?limit=2`)));
    for (const { status, body } of lists) expect([status, body.code]).toEqual([200, undefined]);
    const years = (items: { year: number }[]) => items.map(({ year }) => year);
    for (const { body } of lists) expect(years(body.items)).toEqual([2028, 2027]);
    const { body } = await client.get(`${REPORTS}?limit=2&cursor=${lists[0]!.body.nextCursor}`);
    expect(years(body.items)).toEqual([2026]);
    expect(body.nextCursor).toBeNull();
    expect(await stored()).toBe(3);
  });

  it('read the entries of their year, each once, and no others', async () => {
    const read = jest.spyOn(sellers.get(StatementRepository), 'ofChain');
    await report(2027);
    await report(2027);
    await sellers.sell(seller, 50, 10);
    const { body } = await report(2027);
    // Two sales and a payout stand before the refund.
    expect(read.mock.calls.filter(([of]) => of === seller.id)).toEqual([
      [seller.id, 3, 4],
      [seller.id, 4, 5],
    ]);
    await sellers.ledger.database.connection.collection('tax_reports').deleteMany({});
    expect((await report(2027)).body).toEqual(body);
    // Money that was paid out in the year before is not of this one, however often it is looked at.
    expect(body.lines.map(({ asset }: { asset: string }) => asset)).toEqual(['credits']);
  });

  it('counted by two at the same time count nothing twice', async () => {
    const all = await Promise.all([report(2027), report(2027), report(2027)]);
    await sellers.sell(seller, 50, 10);
    const again = await Promise.all([report(2027), report(2027), report(2027)]);
    for (const { body } of all) expect(body).toEqual(all[0].body);
    expect((await report(2027)).body.lines).toEqual([
      { asset: 'credits', gross: '50', fees: '-90', refunds: '500', net: '-360', payouts: '0' },
    ]);
    for (const { status } of again) expect(status).toBe(200);
  });

  it('read by an index', async () => {
    // On a database of its own: what was filled and emptied often is known to be small, and read whole.
    await sellers.ledger.close();
    sellers = await Sellers.start();
    await fill();
    await sellers.quiet();
    const queries = recordQueries(sellers.ledger.database);
    await sellers.ledger.as(seller).get(REPORTS);
    await report(2027);
    await queries.expectEveryQueryToUseAnIndex();
  });

  it("are nobody's but one's own, and of years that were", async () => {
    const notFound = { status: 404, body: { code: 'ledger.tax_report.not_found' } };
    expect(await report(2026, '', aUser())).toMatchObject(notFound);
    expect(await report(2021)).toMatchObject(notFound);
    expect(await stored()).toBe(0);
    expect((await sellers.ledger.as(aUser()).get(REPORTS)).body.items).toEqual([]);
    expect((await report(2028)).body.code).toBe('ledger.tax_report.not_found');
    expect((await sellers.ledger.as(seller).get(`${REPORTS}/soon`)).status).toBe(400);
    expect((await report(2026, '?format=xml')).status).toBe(400);
    expect((await sellers.ledger.as(aVisitor).get(REPORTS)).status).toBe(401);
    expect((await sellers.ledger.as(aService('studio')).get(REPORTS)).status).toBe(403);
  });
});
