import { TopologyTestDriver, type TestOutputTopic } from '@millrace/testing';
import { closingArrivals } from './closing.ts';
import { expectedOutcome } from './expected.ts';
import { generateArrivals, lastTimestamp } from './generator.ts';
import type { Report } from './report.ts';
import { Results } from './results.ts';
import { buildTopology, topicsOf } from './topology.ts';

const ORDERS = 120;
const ORDERS_PER_PROGRESS = 20;
const START_MS = Date.UTC(2026, 0, 5, 12);

/**
 * Runs the topology in this process: the real tasks, virtual time, no broker.
 *
 * @param pause is awaited between two records, so that a person can follow
 * @returns whether everything came out right
 */
export async function runInDriver(report: Report, pause: () => Promise<void>): Promise<boolean> {
  const arrivals = generateArrivals(ORDERS, START_MS);
  const results = new Results(expectedOutcome(arrivals));
  const topics = topicsOf();
  await using driver = await TopologyTestDriver.open(buildTopology(topics), { applicationId: 'orders-payments' });
  const orders = driver.createInputTopic(topics.orders);
  const payments = driver.createInputTopic(topics.payments);
  const paid = driver.createOutputTopic(topics.paidOrders);
  const unpaid = driver.createOutputTopic(topics.unpaidOrders);
  const totals = driver.createOutputTopic(topics.customerTotals);
  report.title(`${ORDERS} orders in an hour, each to be paid within ten minutes`);
  const seen = { order: 0, payment: 0 };
  for (const arrival of [...arrivals, ...closingArrivals(lastTimestamp(arrivals), 0, 0)]) {
    const { kind, value, timestamp } = arrival;
    if (kind === 'order') await orders.pipeInput(value.orderId, value, { timestamp });
    else await payments.pipeInput(value.orderId, value, { timestamp });
    seen[kind]++;
    drain(paid, (order, at) => results.addPaid(order) && report.paid(at, order));
    drain(unpaid, (order, at) => results.addUnpaid(order) && report.unpaid(at, order));
    drain(totals, (total) => results.addTotal(total));
    if (kind === 'order' && seen.order % ORDERS_PER_PROGRESS === 0) report.progress(seen.order, seen.payment, results);
    await pause();
  }
  report.title('what each customer has paid');
  report.totals(results.totals());
  return report.verdict(ORDERS, arrivals.length - ORDERS, results);
}

function drain<V>(output: TestOutputTopic<string, V>, take: (value: V, timestamp: number) => unknown): void {
  while (!output.isEmpty) {
    const { value, timestamp } = output.readRecord();
    if (value !== undefined) take(value, timestamp);
  }
}
