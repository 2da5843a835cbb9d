import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { Program } from './program.ts';

describeWithKafka('the orders and payments example', (brokers) => {
  it('runs exactly once on a real Kafka, checks every result, and ends by itself', async () => {
    await using example = new Program('examples/01-orders-payments/main.ts', [], { KAFKA_BROKERS: brokers });
    expect(await example.ended, example.output).toEqual({ code: 0, signal: null });
    expect(example.lines.at(-1), example.output).toMatch(/^120 orders, \d+ payments → \d+ paid, \d+ unpaid: all right$/);
    expect(example.lines.filter((line) => line.includes(' unpaid ')).length).toBeGreaterThan(20);
  });
});
