import { describe, expect, it } from 'vitest';
import { TopologyTestDriver, type TestOutputTopic } from '@millrace/testing';
import { buildTopology, topicsOf } from '../topology.ts';
import { closingArrivals } from './closing.ts';
import { expectedOutcome } from './expected.ts';
import { generateArrivals, lastTimestamp } from './generator.ts';
import { Results } from './results.ts';

const START_MS = Date.UTC(2026, 0, 5, 12);

describe('the topology', () => {
  it.each([1, 2, 3])('gives every pair, every unpaid order and every total exactly once: seed %i', async (seed) => {
    const arrivals = generateArrivals(300, START_MS, seed);
    const results = new Results(expectedOutcome(arrivals));
    const topics = topicsOf();
    await using driver = await TopologyTestDriver.open(buildTopology(topics));
    const orders = driver.createInputTopic(topics.orders);
    const payments = driver.createInputTopic(topics.payments);
    for (const { kind, value, timestamp } of [...arrivals, ...closingArrivals(lastTimestamp(arrivals), 0, 0)]) {
      if (kind === 'order') await orders.pipeInput(value.orderId, value, { timestamp });
      else await payments.pipeInput(value.orderId, value, { timestamp });
    }
    drain(driver.createOutputTopic(topics.paidOrders), (order) => results.addPaid(order));
    drain(driver.createOutputTopic(topics.unpaidOrders), (order) => results.addUnpaid(order));
    drain(driver.createOutputTopic(topics.customerTotals), (total) => results.addTotal(total));
    expect(results.problems()).toEqual([]);
    expect(results.complete).toBe(true);
  });
});

function drain<V>(output: TestOutputTopic<string, V>, take: (value: V) => unknown): void {
  for (const value of output.readValuesToList()) if (value !== undefined) take(value);
}
