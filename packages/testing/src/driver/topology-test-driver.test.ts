import { int64, string, topic, type Serde } from '@millrace/core';
import {
  keyValueStore,
  memoryEngine,
  timestampedKeyValueStore,
  timestampedWindowStore,
  type KeyValueStore,
  type StateDatabase,
  type StateEngine,
  type TimestampedWindowStore,
} from '@millrace/state';
import { Topology, type Processor, type ProcessorContext } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from './topology-test-driver.ts';

const words = topic('words', { key: string(), value: string() });
const counts = topic('counts', { key: string(), value: int64() });

/** Splits lines, sends words through a repartition topic, counts them. */
function wordCount(): Topology {
  return new Topology()
    .addSource('lines', words)
    .addProcessor('split', () => splitter(), ['lines'])
    .addRepartitionTopic('by-word-repartition')
    .addSink('by-word', topic('by-word-repartition', { key: string(), value: string() }), ['split'])
    .addSource('words', topic('by-word-repartition', { key: string(), value: string() }))
    .addProcessor('count', () => counter(), ['words'])
    .addStateStore(keyValueStore('totals', string(), int64()), ['count'])
    .addSink('out', counts, ['count']);
}

function splitter(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  return {
    init(given) {
      context = given;
    },
    process(record) {
      for (const word of record.value.split(' ')) context.forward(record.withKey(word).withValue(word));
    },
  };
}

function counter(): Processor<string, string, string, number> {
  let context: ProcessorContext<string, number>;
  let totals: KeyValueStore<string, number>;
  return {
    init(given) {
      context = given;
      totals = given.getStateStore('totals');
    },
    process(record) {
      const total = (totals.get(record.key) ?? 0) + 1;
      totals.put(record.key, total);
      context.forward(record.withValue(total));
    },
  };
}

/** One processor between `words` and `counts`. */
function single<KOut, VOut>(
  supplier: () => Processor<string, string, KOut, VOut>,
  output = words as { name: string; key: Serde<never>; value: Serde<never> },
): Topology {
  return new Topology()
    .addSource('in', words)
    .addProcessor('node', supplier, ['in'])
    .addSink('out', { ...output, name: 'out' }, ['node']);
}

describe('TopologyTestDriver', () => {
  it('counts words through a repartition topic before the input returns', async () => {
    await using driver = await TopologyTestDriver.open(wordCount());
    const input = driver.createInputTopic(words);
    const output = driver.createOutputTopic(counts);
    await input.pipeInput('k', 'a b a', { timestamp: 5 });
    expect(output.readRecordsToList()).toEqual([
      { key: 'a', value: 1, timestamp: 5, headers: [] },
      { key: 'b', value: 1, timestamp: 5, headers: [] },
      { key: 'a', value: 2, timestamp: 5, headers: [] },
    ]);
    expect(driver.getKeyValueStore<string, number>('totals').get('a')).toBe(2);
    expect(driver.producedTopicNames().sort()).toEqual(['app-by-word-repartition', 'app-totals-changelog', 'counts']);
  });

  it('keeps processing in the order of the calls when nobody waits in between', async () => {
    await using driver = await TopologyTestDriver.open(wordCount());
    const input = driver.createInputTopic(words);
    await Promise.all([input.pipeInput('k', 'a'), input.pipeInput('k', 'b'), input.pipeInput('k', 'a')]);
    expect(driver.createOutputTopic(counts).readKeyValuesToList()).toEqual([
      { key: 'a', value: 1 },
      { key: 'b', value: 1 },
      { key: 'a', value: 2 },
    ]);
  });

  it('has the state and the outputs of the last commit after a crash, and goes on from there', async () => {
    await using driver = await TopologyTestDriver.open(wordCount());
    const input = driver.createInputTopic(words);
    const output = driver.createOutputTopic(counts);
    await input.pipeInput('k', 'a a');
    await driver.crash();
    await expect(input.pipeInput('k', 'a')).rejects.toThrow(/restart/);
    await driver.restart();
    await input.pipeInput('k', 'a');
    expect(output.readValuesToList()).toEqual([1, 2, 3]);
    expect(driver.getKeyValueStore<string, number>('totals').get('a')).toBe(3);
  });

  it('finds the state that a persistent engine kept, and deletes it in the end', async () => {
    const engine = keepingEngine();
    const driver = await TopologyTestDriver.open(wordCount(), { engine, stateDir: 'state' });
    const input = driver.createInputTopic(words);
    await input.pipeInput('k', 'a a');
    await driver.crash();
    await driver.restart();
    await input.pipeInput('k', 'a');
    expect(driver.createOutputTopic(counts).readValuesToList()).toEqual([1, 2, 3]);
    await driver.close();
    expect(engine.destroyed).toEqual(['state/0_0']);
    await expect(TopologyTestDriver.open(wordCount(), { engine })).rejects.toThrow(/stateDir/);
  });

  it('shows windows with and without timestamps, and counts the rows that come too late', async () => {
    const windows = timestampedWindowStore('windows', string(), string(), { windowSizeMs: 10, retentionMs: 60_000 });
    const topology = new Topology()
      .addSource('in', words)
      .addProcessor('keep', () => windowed(), ['in'])
      .addStateStore(windows, ['keep']);
    await using driver = await TopologyTestDriver.open(topology);
    const input = driver.createInputTopic(words);
    await input.pipeInput('k', 'first', { timestamp: 13 });
    await input.pipeInput('k', 'second', { timestamp: 27 });
    const values = driver.getWindowStore<string, string>('windows');
    expect(values.fetch('k', 10)).toBe('first');
    expect(driver.getTimestampedWindowStore<string, string>('windows').fetch('k', 20)).toEqual({
      value: 'second',
      timestamp: 27,
    });
    expect(await listed(values.fetchAll(0, 100))).toEqual([
      [{ key: 'k', window: { start: 10, end: 20 } }, 'first'],
      [{ key: 'k', window: { start: 20, end: 30 } }, 'second'],
    ]);
    await input.pipeInput('k', 'much later', { timestamp: 500_000 });
    await input.pipeInput('k', 'too late', { timestamp: 15 });
    expect(values.fetch('k', 10)).toBeUndefined();
    expect(driver.metrics.total('millrace_task_records_dropped_total')).toBe(1);
  });

  it('processes records of different topics in the order of the calls, whatever their times', async () => {
    const topology = new Topology()
      .addSource('one', words)
      .addSource('two', { ...words, name: 'two' })
      .addSink('out', { ...words, name: 'out' }, ['one', 'two']);
    await using driver = await TopologyTestDriver.open(topology);
    const one = driver.createInputTopic(words);
    const two = driver.createInputTopic({ ...words, name: 'two' });
    await Promise.all([one.pipeInput('k', 'late', { timestamp: 100 }), two.pipeInput('k', 'early', { timestamp: 1 })]);
    expect(driver.createOutputTopic({ ...words, name: 'out' }).readValuesToList()).toEqual(['late', 'early']);
  });

  it('shows nothing of what a crash interrupted, and does that work once more', async () => {
    const topology = new Topology()
      .addSource('in', words)
      .addProcessor('count', () => counter(), ['in'])
      .addStateStore(keyValueStore('totals', string(), int64()), ['count'])
      .addSink('out', counts, ['count']);
    await using driver = await TopologyTestDriver.open(topology, { autoCommit: false });
    const input = driver.createInputTopic(words);
    const output = driver.createOutputTopic(counts);
    await input.pipeInput('a', '');
    await driver.commit();
    await input.pipeInput('a', '');
    await input.pipeInput('a', '');
    expect(output.queueSize).toBe(1);
    await driver.crash();
    await driver.restart();
    expect(driver.getKeyValueStore<string, number>('totals').get('a')).toBe(3);
    await driver.commit();
    expect(output.readValuesToList()).toEqual([1, 2, 3]);
  });

  it('passes headers, null keys and tombstones on', async () => {
    await using driver = await TopologyTestDriver.open(single(() => passThrough()));
    const input = driver.createInputTopic(words);
    const output = driver.createOutputTopic({ ...words, name: 'out' });
    const headers = [
      { key: 'trace', value: Buffer.from('1') },
      { key: 'none', value: undefined },
    ];
    await input.pipeInput(undefined, undefined, { timestamp: 1, headers });
    expect(output.readRecord()).toEqual({ key: undefined, value: undefined, timestamp: 1, headers });
  });

  it('waits for asynchronous processors, in the order of the records', async () => {
    await using driver = await TopologyTestDriver.open(single(() => asynchronous()));
    const input = driver.createInputTopic(words);
    const output = driver.createOutputTopic({ ...words, name: 'out' });
    await input.pipeList([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ]);
    expect(output.readValuesToList()).toEqual(['1!', '2!', '3!']);
  });

  it('names the node, the topic and the offset when a processor fails, and stays failed', async () => {
    await using driver = await TopologyTestDriver.open(single(() => ({ process: (record) => fail(record.value) })));
    const input = driver.createInputTopic(words);
    await input.pipeInput('k', 'fine');
    await expect(input.pipeInput('k', 'bad')).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
      node: 'node',
      topic: 'words',
      partition: 0,
      offset: 1,
      taskId: '0_0',
    });
    await expect(input.pipeInput('k', 'fine')).rejects.toMatchObject({ code: 'PROCESSING_FAILED' });
  });

  it('goes on without the record when the handler says so', async () => {
    const onProcessingError = { handle: () => ({ decide: 'continue' as const }) };
    await using driver = await TopologyTestDriver.open(
      single(() => ({ process: (record) => fail(record.value) })),
      { onProcessingError },
    );
    await driver.createInputTopic(words).pipeInput('k', 'bad');
    expect(driver.metrics.total('millrace_task_records_dropped_total')).toBe(1);
  });

  it('fails on input that cannot be read, or skips it and passes its offset', async () => {
    const numbers = topic('words', { key: string(), value: int64() });
    const topology = new Topology()
      .addSource('in', numbers)
      .addSink('out', topic('out', { key: string(), value: int64() }), ['in']);
    await using failing = await TopologyTestDriver.open(topology);
    await expect(failing.createInputTopic(words).pipeInput('k', 'no number')).rejects.toMatchObject({
      code: 'DESERIALIZATION_FAILED',
      offset: 0,
    });
    const onDeserializationError = { handle: () => ({ decide: 'continue' as const }) };
    await using driver = await TopologyTestDriver.open(topology, { onDeserializationError });
    await driver.createInputTopic(words).pipeInput('k', 'no number');
    await driver.createInputTopic(numbers).pipeInput('k', 7);
    expect(driver.createOutputTopic(topic('out', { key: string(), value: int64() })).readValuesToList()).toEqual([7]);
    expect(driver.metrics.total('millrace_task_records_dropped_total')).toBe(1);
  });

  it('fires stream-time punctuators by record times and wall-clock ones by its clock', async () => {
    await using driver = await TopologyTestDriver.open(
      single(() => punctuating()),
      { initialWallClockMs: 1000 },
    );
    const input = driver.createInputTopic(words);
    const output = driver.createOutputTopic({ ...words, name: 'out' });
    await input.pipeInput('k', 'v', { timestamp: 7 });
    await input.pipeInput('k', 'v', { timestamp: 9 });
    await input.pipeInput('k', 'v', { timestamp: 35 });
    await driver.advanceWallClock(99);
    await driver.advanceWallClock(1);
    await driver.advanceWallClock(350);
    expect(output.readValuesToList()).toEqual(['stream 7', 'stream 35', 'wall 1100', 'wall 1450']);
  });

  it('reads a topic that matches a pattern from the moment somebody writes to it', async () => {
    const topology = new Topology()
      .addSource('in', /in-.*/, { key: string(), value: string() })
      .addSink('out', { ...words, name: 'out' }, ['in']);
    await using driver = await TopologyTestDriver.open(topology);
    await driver.createInputTopic({ ...words, name: 'in-1' }).pipeInput('k', 'v');
    expect(driver.createOutputTopic({ ...words, name: 'out' }).readKeyValuesToMap()).toEqual(new Map([['k', 'v']]));
    expect(() => driver.createInputTopic({ ...words, name: 'other' })).toThrow(/no source reads other/);
  });

  it('lets every processor read a global store, whose records come first', async () => {
    const names = topic('names', { key: string(), value: string() });
    const topology = new Topology()
      .addGlobalStore(
        keyValueStore('names', string(), string(), { logging: false }),
        { name: 'names-in', topic: names },
        { name: 'fill', supplier: () => filling() },
      )
      .addSource('in', words)
      .addProcessor('look-up', () => lookingUp(), ['in'])
      .addSink('out', { ...words, name: 'out' }, ['look-up']);
    await using driver = await TopologyTestDriver.open(topology);
    await driver.createInputTopic(names).pipeInput('k', 'Ada');
    await driver.createInputTopic(words).pipeInput('k', '');
    await driver.crash();
    await driver.restart();
    await driver.createInputTopic(words).pipeInput('k', '');
    expect(driver.createOutputTopic({ ...words, name: 'out' }).readValuesToList()).toEqual(['Ada', 'Ada']);
  });

  it('gives records without timestamp the topic’s time, which can advance by itself', async () => {
    await using driver = await TopologyTestDriver.open(
      single(() => passThrough()),
      { initialWallClockMs: 50 },
    );
    const output = driver.createOutputTopic({ ...words, name: 'out' });
    const clocked = driver.createInputTopic(words);
    await clocked.pipeInput('k', 'v');
    const stepping = driver.createInputTopic(words, { startTimestampMs: 100, autoAdvanceMs: 10 });
    await stepping.pipeInput('k', 'v');
    await stepping.pipeInput('k', 'v');
    stepping.advanceTime(5);
    await stepping.pipeInput('k', 'v');
    expect(output.readRecordsToList().map(({ timestamp }) => timestamp)).toEqual([50, 100, 110, 125]);
  });

  it('says what is wrong when a topic is empty, or a store is missing or of another kind', async () => {
    const topology = wordCount().addStateStore(timestampedKeyValueStore('latest', string(), string()), ['count']);
    await using driver = await TopologyTestDriver.open(topology);
    const output = driver.createOutputTopic(counts);
    expect(output.isEmpty).toBe(true);
    expect(() => output.readValue()).toThrow(/no \(further\) record in counts/);
    expect(() => driver.getKeyValueStore('nope')).toThrow(/no store nope; it has/);
    expect(() => driver.getWindowStore('totals')).toThrow(/totals is a keyValue store/);
    expect(driver.getKeyValueStore('latest').get('a')).toBeUndefined();
    expect([...driver.getAllStateStores().keys()].sort()).toEqual(['latest', 'totals']);
  });
});

function passThrough(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  return {
    init(given) {
      context = given;
    },
    process(record) {
      context.forward(record);
    },
  };
}

function asynchronous(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  return {
    init(given) {
      context = given;
    },
    async process(record) {
      await Promise.resolve();
      await Promise.resolve();
      context.forward(record.withValue(`${record.value}!`));
    },
  };
}

function punctuating(): Processor<string, string, string, string> {
  return {
    init(context: ProcessorContext<string, string>) {
      const forward = (kind: string) => (timestamp: number) =>
        context.forward(context.record('k', `${kind} ${timestamp}`, timestamp));
      context.schedule(10, 'stream-time', forward('stream'));
      context.schedule(100, 'wall-clock-time', forward('wall'));
    },
    process: () => undefined,
  };
}

function filling(): Processor<string, string> {
  let names: KeyValueStore<string, string>;
  return {
    init(context) {
      names = context.getStateStore('names');
    },
    process: (record) => names.put(record.key, record.value),
  };
}

/** Keeps the latest value of each window of 10 ms. */
function windowed(): Processor<string, string> {
  let windows: TimestampedWindowStore<string, string>;
  return {
    init(context) {
      windows = context.getStateStore('windows');
    },
    process({ key, value, timestamp }) {
      windows.put(key, { value, timestamp }, Math.floor(timestamp / 10) * 10);
    },
  };
}

function lookingUp(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  let names: KeyValueStore<string, string>;
  return {
    init(given) {
      context = given;
      names = given.getStateStore('names');
    },
    process: (record) => context.forward(record.withValue(names.get(record.key) ?? 'nobody')),
  };
}

function fail(value: string): void {
  if (value === 'bad') throw new Error('this value is bad');
}

/** An engine whose databases outlive their closing, as files do. */
function keepingEngine(): StateEngine & { readonly destroyed: string[] } {
  const memory = memoryEngine();
  const databases = new Map<string, StateDatabase>();
  const destroyed: string[] = [];
  return {
    name: 'keeping',
    persistent: true,
    destroyed,
    async open(options) {
      const database = databases.get(options.directory) ?? (await memory.open(options));
      databases.set(options.directory, database);
      return {
        get: (key) => database.get(key),
        entries: (range, how) => database.entries(range, how),
        write: (batch) => database.write(batch),
        close: () => Promise.resolve(),
      };
    },
    quarantine: () => Promise.resolve(),
    destroy(directory) {
      destroyed.push(directory);
      return Promise.resolve();
    },
  };
}

async function listed<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const entry of entries) list.push(entry);
  return list;
}
