import fc from 'fast-check';
import { string, topic } from '@millrace/core';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import {
  asyncProcessorNodeSupplier,
  Topology,
  type AsyncProcessor,
  type AsyncSettings,
  type ProcessorContext,
} from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from './topology-test-driver.ts';

const words = topic('words', { key: string(), value: string() });
const answers = topic('answers', { key: string(), value: string() });

type Ask = (value: string, signal: AbortSignal) => Promise<string>;

/** Two asynchronous steps, one behind the other; the second counts the records of each key. */
function chain(ask: Ask, settings: AsyncSettings): Topology {
  const relay = (): AsyncProcessor<string, string, string, string, string> => {
    let context: ProcessorContext<string, string>;
    return {
      init(given) {
        context = given;
      },
      request: ({ value }, { signal }) => ask(value, signal),
      process: (record, answer) => context.forward(record.withValue(answer)),
    };
  };
  const count = (): AsyncProcessor<string, string, string, string, string> => {
    let context: ProcessorContext<string, string>;
    let counts: KeyValueStore<string, string>;
    return {
      init(given) {
        context = given;
        counts = given.getStateStore('counts');
      },
      request: ({ value }, { signal }) => ask(value, signal),
      process(record, answer) {
        const next = String(Number(counts.get(record.key) ?? '0') + 1);
        counts.put(record.key, next);
        context.forward(record.withValue(`${next}:${answer}`));
      },
    };
  };
  return new Topology()
    .addSource('words', words)
    .addNode('relay', asyncProcessorNodeSupplier(relay, settings), ['words'])
    .addNode('count', asyncProcessorNodeSupplier(count, { ...settings, concurrency: 2 }), ['relay'])
    .addStateStore(keyValueStore('counts', string(), string()), ['count'])
    .addSink('answers', answers, ['count']);
}

type Step = { readonly pipe: string } | { readonly advanceMs: number } | 'crash' | 'commit';

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ pipe: fc.constantFrom('a', 'b', 'c') }) },
    { weight: 3, arbitrary: fc.record({ advanceMs: fc.integer({ min: 0, max: 150 }) }) },
    { weight: 1, arbitrary: fc.constantFrom<Step>('crash', 'commit') },
  ),
  { maxLength: 40 },
);

async function take(driver: TopologyTestDriver, step: Step, value: number): Promise<void> {
  if (step === 'commit') return driver.commit();
  if (step === 'crash') {
    await driver.crash();
    return driver.restart();
  }
  if ('advanceMs' in step) return driver.advanceWallClock(step.advanceMs);
  await driver.createInputTopic(words).pipeInput(step.pipe, String(value));
}

describe('asynchronous operators with random latencies', () => {
  it('give each record of a key once and in order, whenever the application dies', async () => {
    const settings = fc.record({
      concurrency: fc.integer({ min: 1, max: 6 }),
      order: fc.constantFrom('perKey' as const, 'perPartition' as const),
      attempts: fc.constant(50),
      timeoutMs: fc.constant(80),
      backoffMs: fc.integer({ min: 0, max: 20 }),
      maxBackoffMs: fc.constant(20),
    });
    const latencies = fc.infiniteStream(fc.integer({ min: 0, max: 100 }));
    await fc.assert(
      fc.asyncProperty(steps, settings, latencies, fc.boolean(), async (all, chosen, latency, autoCommit) => {
        const holder: { driver?: TopologyTestDriver } = {};
        const ask: Ask = async (value, signal) => {
          const ms = latency.next().value ?? 0;
          if (ms > 0) await holder.driver?.clock.sleep(ms, signal);
          return value;
        };
        await using driver = await TopologyTestDriver.open(chain(ask, chosen), { autoCommit });
        holder.driver = driver;
        for (const [index, step] of all.entries()) await take(driver, step, index);
        await driver.advanceWallClock(1_000_000);
        await driver.commit();
        const expected = all.flatMap((step, index) => (typeof step === 'object' && 'pipe' in step ? [[step.pipe, index]] : []));
        const output = driver.createOutputTopic(answers).readKeyValuesToList();
        for (const key of ['a', 'b', 'c']) {
          const indexes = expected.filter(([piped]) => piped === key).map(([, index], at) => `${at + 1}:${index}`);
          expect(output.filter((record) => record.key === key).map(({ value }) => value)).toEqual(indexes);
        }
      }),
      { numRuns: 100 },
    );
  });
});
