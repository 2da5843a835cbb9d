import { int64, string, topic } from '@millrace/core';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import { Topology, type Processor, type ProcessorContext } from '@millrace/topology';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from './topology-test-driver.ts';

const words = topic('words', { key: string(), value: string() });
const counts = topic('counts', { key: string(), value: int64() });

/** Counts values per key, forwards each count, and the number of records so far whenever stream time has passed 10 ms. */
function counter(): Processor<string, string, string, number> {
  let context: ProcessorContext<string, number>;
  let totals: KeyValueStore<string, number>;
  let seen = 0;
  return {
    init(given) {
      context = given;
      totals = given.getStateStore('totals');
      given.schedule(10, 'stream-time', (timestamp) => context.forward(context.record('seen', seen, timestamp)));
    },
    process(record) {
      if (record.value === 'bad') throw new Error('a bad word');
      if (record.value === 'commit') context.commit();
      const total = (totals.get(record.key) ?? 0) + 1;
      seen++;
      totals.put(record.key, total);
      context.forward(record.withValue(total));
    },
  };
}

function counting(): Topology {
  return new Topology()
    .addSource('words', words)
    .addProcessor('count', counter, ['words'])
    .addStateStore(keyValueStore('totals', string(), int64()), ['count'])
    .addSink('out', counts, ['count']);
}

/** The same, behind a topic that the topology both writes and reads. */
function countingBehindRepartition(): Topology {
  return new Topology()
    .addSource('words', words)
    .addRepartitionTopic('again')
    .addSink('to-again', topic('again', { key: string(), value: string() }), ['words'])
    .addSource('again-source', topic('again', { key: string(), value: string() }))
    .addProcessor('count', counter, ['again-source'])
    .addStateStore(keyValueStore('totals', string(), int64()), ['count'])
    .addSink('out', counts, ['count']);
}

type Line = readonly [key: string, value: string, timestamp: number];

const lines: fc.Arbitrary<Line[]> = fc.array(
  fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('x', 'commit'), fc.nat({ max: 100 })),
  { maxLength: 60 },
);

async function resultsOf(topology: Topology, given: readonly Line[], together: boolean): Promise<unknown> {
  await using driver = await TopologyTestDriver.open(topology);
  const input = driver.createInputTopic(words);
  if (together) await input.pipeList(given);
  else for (const [key, value, timestamp] of given) await input.pipeInput(key, value, { timestamp });
  // What is committed has to survive.
  await driver.crash();
  await driver.restart();
  const rows = ['a', 'b', 'c'].map((key) => driver.getKeyValueStore<string, number>('totals').get(key));
  return { rows, output: driver.createOutputTopic(counts).readRecordsToList() };
}

describe('pipeList', () => {
  it.each([
    ['a topology', counting],
    ['a topology that reads what it writes', countingBehindRepartition],
  ])('gives the same results as piping one by one, for %s', async (_name, topology) => {
    await fc.assert(
      fc.asyncProperty(lines, async (given) => {
        expect(await resultsOf(topology(), given, true)).toEqual(await resultsOf(topology(), given, false));
      }),
      { numRuns: 60 },
    );
  });

  it('takes lists that are longer than what is committed at once', async () => {
    await using driver = await TopologyTestDriver.open(counting());
    const length = 40_000;
    await driver.createInputTopic(words).pipeList(Array.from({ length }, (_, i) => [`k${i % 100}`, 'x', 1] as const));
    const output = driver.createOutputTopic(counts).readKeyValuesToList();
    const expected = Array.from({ length }, (_, i) => ({ key: `k${i % 100}`, value: Math.floor(i / 100) + 1 }));
    expect(output.filter(({ key }) => key !== 'seen')).toEqual(expected);
    expect(driver.getKeyValueStore<string, number>('totals').get('k0')).toBe(length / 100);
  });

  it('rejects with what made a record fail; what was not committed before is lost with it', async () => {
    await using driver = await TopologyTestDriver.open(counting());
    const input = driver.createInputTopic(words);
    const list: Line[] = [
      ['a', 'commit', 1],
      ['a', 'x', 2],
      ['a', 'bad', 3],
      ['a', 'x', 4],
    ];
    await expect(input.pipeList(list)).rejects.toMatchObject({ code: 'PROCESSING_FAILED', offset: 2 });
    await driver.crash();
    await expect(driver.restart()).rejects.toMatchObject({ code: 'PROCESSING_FAILED', offset: 2 });
    expect(driver.getKeyValueStore<string, number>('totals').get('a')).toBe(2);
  });
});
