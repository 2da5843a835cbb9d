import { silentLogger, string, TaskCorruptedError, topic } from '@millrace/core';
import {
  type ClosingStore,
  keyValueStore,
  memoryEngine,
  type KeyValueStore,
  type StateEngine,
  timestampedWindowStore,
  type TimestampedWindowStore,
  type WriteBatch,
} from '@millrace/state';
import { asyncProcessorNodeSupplier, Topology, type Processor, type ProcessorContext } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { AppendedRecords } from '../task-harness/appended-records.ts';
import { fetchedPartition, type FetchedRecord } from '../task-harness/fetched-partition.ts';
import { taskComponents, taskSettings } from '../task-harness/task-surroundings.ts';
import { decodeOffsetMetadata, encodeOffsetMetadata } from './offset-metadata.ts';
import { StreamTask } from './stream-task.ts';
import type { StreamTaskOptions } from './stream-task-options.ts';

const text = { key: string(), value: string() };
const counting = (): Topology =>
  new Topology()
    .addSource('in', topic('input', text))
    .addProcessor('count', () => appending(), ['in'])
    .addStateStore(keyValueStore('texts', string(), string()), ['count'])
    .addSink('out', topic('output', text), ['count']);

/** Appends each value to the text of its key. Counts in its own memory how many records it has seen. */
function appending(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  let texts: KeyValueStore<string, string>;
  let seen = 0;
  return {
    init(given) {
      context = given;
      texts = given.getStateStore('texts');
    },
    process(record) {
      seen++;
      const all = (texts.get(record.key) ?? '') + record.value;
      texts.put(record.key, all);
      context.forward(record.withValue(`${all} #${seen}`));
    },
  };
}

/** Keeps each value in a window of 10 ms, and forwards it once the window has ended. */
const closing = (): Topology =>
  new Topology()
    .addSource('in', topic('input', text))
    .addProcessor('close', () => closingProcessor(), ['in'])
    .addStateStore(timestampedWindowStore('windows', string(), string(), { windowSizeMs: 10, closesAfterMs: 10 }), ['close'])
    .addSink('out', topic('output', text), ['close']);

function closingProcessor(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  let windows: TimestampedWindowStore<string, string> & ClosingStore<string, string>;
  return {
    init(given) {
      context = given;
      windows = given.getStateStore('windows');
    },
    process(record) {
      windows.put(record.key, { value: record.value, timestamp: record.timestamp }, Math.floor(record.timestamp / 10) * 10);
      windows.emitClosed(record.timestamp, ({ key }, value) => context.forward(record.withKey(key).withValue(value)));
    },
  };
}

function windowKey(key: string, start: number): string {
  return `${key}\0\0\0\0\0\0\0${String.fromCharCode(start)}\0\0\0\0`;
}

interface Harness {
  readonly task: StreamTask;
  readonly appended: AppendedRecords;
  readonly feed: (records: readonly FetchedRecord[], baseOffset?: number) => void;
  readonly outputs: () => (string | undefined)[];
}

async function open(
  topology: Topology,
  overrides: Partial<StreamTaskOptions> & { engine?: StateEngine } = {},
  appended = new AppendedRecords({ output: 1, 'app-texts-changelog': 1 }),
): Promise<StreamTask> {
  const [subtopology] = topology.plan().subtopologies;
  if (subtopology === undefined) throw new Error('the topology is empty');
  return StreamTask.open({
    id: { subtopology: 0, partition: 0 },
    subtopology,
    inputPartitions: [{ topic: 'input', partition: 0 }],
    settings: taskSettings,
    components: taskComponents({ clock: stillClock, ...(overrides.engine && { engine: overrides.engine }) }),
    directory: 'task',
    appender: appended,
    progress: { position: () => 0, bounds: () => ({ highWatermark: 0, lastStableOffset: 0 }) },
    cleanCacheBytes: 1 << 20,
    ...overrides,
  });
}

const stillClock = { nowMs: () => 0, monotonicMs: () => 0, setTimer: () => () => undefined, sleep: () => Promise.resolve() };

async function running(topology: Topology): Promise<Harness> {
  const appended = new AppendedRecords({ output: 1, 'app-texts-changelog': 1 });
  const task = await open(topology, {}, appended);
  await task.finishRestore();
  task.initializeInput([{ topic: 'input', partition: 0, offset: 0, metadata: '' }]);
  return {
    task,
    appended,
    feed: (records, baseOffset = 0) => task.enqueue(fetchedPartition(records, { baseOffset })),
    outputs: () => appended.records.filter((record) => record.topic === 'output').map(({ value }) => value),
  };
}

async function commit(task: StreamTask): Promise<void> {
  task.flushCaches();
  task.prepareCommit();
  await task.completeCommit();
}

/** Two calls at a time, which the test answers by value. */
function asking() {
  const open = new Map<string, () => void>();
  const signals: AbortSignal[] = [];
  const supplier = () => {
    let context: ProcessorContext<string, string>;
    return {
      init(given: typeof context) {
        context = given;
      },
      request: ({ value }: { readonly value: string }, { signal }: { readonly signal: AbortSignal }) => {
        signals.push(signal);
        return new Promise<void>((resolve) => open.set(value, resolve));
      },
      process: (record: Parameters<Processor<string, string>['process']>[0]) =>
        context.forward(record.withValue(`${record.value}!`)),
    };
  };
  const settings = { concurrency: 2, timeoutMs: 1000, attempts: 1, backoffMs: 0, maxBackoffMs: 0, order: 'perKey' } as const;
  const ask = new Topology()
    .addSource('in', topic('input', text))
    .addNode('ask', asyncProcessorNodeSupplier(supplier, settings), ['in'])
    .addSink('out', topic('output', text), ['ask']);
  return { ask, signals, answer: (value: string) => open.get(value)?.() };
}

describe('StreamTask', () => {
  it('processes up to the number asked for, and has the next offset and the partition time ready to commit', async () => {
    const { task, feed, outputs } = await running(counting());
    feed([
      { key: 'k', value: 'a', timestamp: 30 },
      { key: 'k', value: 'b', timestamp: 20 },
      { key: 'k', value: 'c', timestamp: 10 },
    ]);
    expect(task.process(2, Infinity)).toBe(2);
    expect(outputs()).toEqual(['a #1', 'ab #2']);
    task.prepareCommit();
    const [offset] = task.committableOffsets();
    expect(offset).toMatchObject({ topic: 'input', partition: 0, offset: 2 });
    expect(decodeOffsetMetadata(offset?.metadata ?? '')).toBe(30);
    expect(task.process(9, Infinity)).toBe(1);
  });

  it('writes dirty rows to the changelog once per commit, with the latest value', async () => {
    const { task, appended, feed } = await running(counting());
    feed([
      { key: 'k', value: 'a' },
      { key: 'k', value: 'b' },
      { key: 'l', value: 'c' },
    ]);
    task.process(9, Infinity);
    await commit(task);
    const changelog = appended.records.filter((record) => record.topic === 'app-texts-changelog');
    expect(changelog.map(({ key, value }) => `${key ?? ''}=${value ?? ''}`)).toEqual(['k=ab', 'l=c']);
    expect(task.commitNeeded).toBe(false);
    expect(task.changelogs()).toEqual([
      { store: 'texts', topic: 'app-texts-changelog', partition: 0, offset: 2, isInput: false },
    ]);
    expect(task.storedInputOffset('input', 0)).toBe(3);
  });

  it('goes back to the last commit in state, offsets and the memory of its processors', async () => {
    const { task, feed, outputs } = await running(counting());
    feed([
      { key: 'k', value: 'a' },
      { key: 'k', value: 'b' },
    ]);
    task.process(1, Infinity);
    await commit(task);
    task.process(1, Infinity);
    task.rollback();
    expect(task.hasRecords).toBe(false);
    task.initializeInput([{ topic: 'input', partition: 0, offset: 1, metadata: '' }]);
    task.enqueue(
      fetchedPartition(
        [
          { key: 'k', value: 'a' },
          { key: 'k', value: 'b' },
        ],
        { fetchOffset: 1 },
      ),
    );
    task.process(9, Infinity);
    expect(outputs()).toEqual(['a #1', 'ab #2', 'ab #1']);
  });

  it('lets the next records be processed while a commit is being written', async () => {
    const { task, feed } = await running(counting());
    feed([
      { key: 'k', value: 'a' },
      { key: 'k', value: 'b' },
    ]);
    task.process(1, Infinity);
    task.prepareCommit();
    const written = task.completeCommit();
    task.process(1, Infinity);
    await written;
    task.rollback();
    expect((task.state.store('texts') as KeyValueStore<string, string>).get('k')).toBe('a');
  });

  it('cannot be rolled back when a commit was not written: its state lacks what Kafka has', async () => {
    const noRoom = new TaskCorruptedError('STATE_DISK_FULL', 'no room', { taskId: '0_0' });
    let isFull = false;
    const engine: StateEngine = {
      ...memoryEngine(),
      async open(options) {
        const database = await memoryEngine().open(options);
        const write = database.write.bind(database);
        return Object.assign(database, { write: (batch: WriteBatch) => (isFull ? Promise.reject(noRoom) : write(batch)) });
      },
    };
    const task = await open(counting(), { engine });
    await task.finishRestore();
    isFull = true;
    task.initializeInput([{ topic: 'input', partition: 0, offset: 0, metadata: '' }]);
    task.enqueue(fetchedPartition([{ key: 'k', value: 'a' }]));
    task.process(9, Infinity);
    task.prepareCommit();
    await expect(task.completeCommit()).rejects.toBe(noRoom);
    expect(() => task.rollback()).toThrow(noRoom);
    expect(() => task.process(9, Infinity)).toThrow(noRoom);
  });

  it('takes its stream time from the metadata of the committed offsets', async () => {
    const times: number[] = [];
    const watching = (): Processor<string, string> => {
      let context: ProcessorContext<never, never>;
      return {
        init(given) {
          context = given;
        },
        process: () => void times.push(context.currentStreamTimeMs()),
      };
    };
    const { task, feed } = await running(
      new Topology().addSource('in', topic('input', text)).addProcessor('watch', watching, ['in']),
    );
    task.initializeInput([{ topic: 'input', partition: 0, offset: 4, metadata: encodeOffsetMetadata(50) }]);
    feed([{ timestamp: 20 }, { timestamp: 60 }], 4);
    task.process(9, Infinity);
    expect(times).toEqual([50, 60]);
  });

  it('stops after a record whose processor returned a promise, and goes on behind it', async () => {
    const done: string[] = [];
    const slow = (): Processor<string, string> => ({
      async process(record) {
        await Promise.resolve();
        done.push(record.value);
      },
    });
    const { task, feed } = await running(new Topology().addSource('in', topic('input', text)).addProcessor('slow', slow, ['in']));
    feed([{ value: 'a' }, { value: 'b' }]);
    expect(task.process(9, Infinity)).toBe(1);
    expect(task.process(9, Infinity)).toBe(0);
    await task.pending;
    expect(done).toEqual(['a']);
    expect(task.process(9, Infinity)).toBe(1);
    await task.pending;
    expect(done).toEqual(['a', 'b']);
  });

  it('throws with the next call what asynchronous work failed with, and then refuses to commit', async () => {
    const failing = (): Processor<string, string> => ({ process: () => Promise.reject(new Error('later')) });
    const { task, feed } = await running(
      new Topology().addSource('in', topic('input', text)).addProcessor('failing', failing, ['in']),
    );
    feed([{ value: 'a' }]);
    task.process(9, Infinity);
    await task.pending;
    expect(() => task.flushCaches()).toThrow(/processing failed: later.*input-0, offset 0, node failing/);
    expect(() => task.prepareCommit()).toThrow(/later/);
    task.rollback();
    expect(task.process(9, Infinity)).toBe(0);
  });

  it('takes no record while an asynchronous operator holds as many as it may, and has nothing to flush before it is done', async () => {
    const { ask, answer } = asking();
    const { task, feed, outputs } = await running(ask);
    feed([
      { key: 'k', value: 'a' },
      { key: 'l', value: 'b' },
      { key: 'm', value: 'c' },
    ]);
    expect(task.process(9, Infinity)).toBe(2);
    expect([task.process(9, Infinity), task.nextWakeUpMs(0)]).toEqual([0, Infinity]);
    task.flushCaches();
    expect([task.hasUnflushed, task.asyncWork.held]).toEqual([true, 2]);
    const { settling } = task;
    answer('b');
    await settling;
    expect([task.settling, task.nextWakeUpMs(0)]).toEqual([undefined, 0]);
    expect([task.forwardResults(), outputs()]).toEqual([1, ['b!']]);
    expect(task.process(9, Infinity)).toBe(1);
    answer('a');
    answer('c');
    await task.settling;
    task.flushCaches();
    await task.settling;
    task.flushCaches();
    expect([task.hasUnflushed, outputs()]).toEqual([false, ['b!', 'a!', 'c!']]);
    task.prepareCommit();
    expect(task.committableOffsets()).toMatchObject([{ offset: 3 }]);
  });

  it('aborts asynchronous calls when it goes back to the last commit, and makes them again', async () => {
    const { ask, answer, signals } = asking();
    const { task, feed, outputs } = await running(ask);
    feed([{ key: 'k', value: 'a' }]);
    task.process(9, Infinity);
    task.rollback();
    expect(signals[0]?.reason).toMatchObject({ name: 'AbortError' });
    answer('a');
    await Promise.resolve();
    expect([task.asyncWork.held, task.forwardResults()]).toEqual([0, 0]);
    task.initializeInput([{ topic: 'input', partition: 0, offset: 0, metadata: '' }]);
    feed([{ key: 'k', value: 'a' }]);
    task.process(9, Infinity);
    answer('a');
    await task.settling;
    task.forwardResults();
    expect([signals.length, outputs()]).toEqual([2, ['a!']]);
  });

  it('stops when user code asks for a commit and when the producer can take no more', async () => {
    const asking = (): Processor<string, string> => {
      let context: ProcessorContext<never, never>;
      return {
        init(given) {
          context = given;
        },
        process(record) {
          if (record.value === 'commit') context.commit();
        },
      };
    };
    const { task, appended, feed } = await running(
      new Topology().addSource('in', topic('input', text)).addProcessor('ask', asking, ['in']),
    );
    feed([{ value: 'commit' }, { value: 'b' }, { value: 'c' }]);
    expect(task.process(9, Infinity)).toBe(1);
    expect(task.commitRequested).toBe(true);
    await commit(task);
    expect(task.commitRequested).toBe(false);
    appended.backPressure = true;
    expect(task.process(9, Infinity)).toBe(1);
  });

  it('asks for a pause when an input holds too much, and for more when it is down to half', async () => {
    const { task, feed } = await running(counting());
    feed([{ key: 'k', value: 'x'.repeat(600) }]);
    expect(task.input.isFull('input', 0)).toBe(false);
    feed([{ key: 'k', value: 'x'.repeat(600) }], 1);
    expect([task.input.isFull('input', 0), task.input.hasRoom('input', 0)]).toEqual([true, false]);
    task.process(2, Infinity);
    expect(task.input.hasRoom('input', 0)).toBe(true);
  });

  it('restores its stores from changelog records before the processors are initialised', async () => {
    const appended = new AppendedRecords({ output: 1, 'app-texts-changelog': 1 });
    const task = await open(counting(), {}, appended);
    expect(task.changelogs()).toEqual([
      { store: 'texts', topic: 'app-texts-changelog', partition: 0, offset: undefined, isInput: false },
    ]);
    const changelog = { topic: 'app-texts-changelog' };
    const records = [
      { key: 'k', value: 'old' },
      { key: 'gone', value: 'x' },
      { key: 'k', value: 'new' },
      { key: 'gone' },
      { value: 'no key' },
    ];
    expect(await task.applyRestored(fetchedPartition(records, changelog))).toBe(4);
    await task.applyRestored(fetchedPartition([], { ...changelog, baseOffset: 5, nextOffset: 9 }));
    await task.finishRestore();
    const store = task.state.store('texts') as KeyValueStore<string, string>;
    expect([store.get('k'), store.get('gone')]).toEqual(['new', undefined]);
    expect(task.changelogs()[0]?.offset).toBe(9);
    expect(task.changelogOffsetSum()).toBe(9);
  });

  it('emits no window again that another owner of the task has emitted, and none too few', async () => {
    const first = await open(closing(), {}, new AppendedRecords({ output: 1, 'app-windows-changelog': 1 }));
    await first.finishRestore();
    first.initializeInput([{ topic: 'input', partition: 0, offset: 0, metadata: '' }]);
    const [a, b, c, d] = [
      { key: 'a', value: 'x', timestamp: 5 },
      { key: 'b', value: 'x', timestamp: 15 },
      { key: 'c', value: 'x', timestamp: 25 },
      { key: 'd', value: 'x', timestamp: 45 },
    ] as const;
    first.enqueue(fetchedPartition([a, b]));
    expect(first.process(9, Infinity)).toBe(2);
    first.prepareCommit();
    const [offset] = first.committableOffsets();

    const appended = new AppendedRecords({ output: 1, 'app-windows-changelog': 1 });
    const second = await open(closing(), {}, appended);
    const rows = [
      { key: windowKey('a', 0), value: 'x', timestamp: 5 },
      { key: windowKey('b', 10), value: 'x', timestamp: 15 },
    ];
    await second.applyRestored(fetchedPartition(rows, { topic: 'app-windows-changelog' }));
    await second.finishRestore();
    second.initializeInput([{ topic: 'input', partition: 0, offset: 2, metadata: offset?.metadata ?? '' }]);
    second.enqueue(fetchedPartition([c, d], { baseOffset: 2 }));
    expect(second.process(9, Infinity)).toBe(2);
    const outputs = appended.records.filter(({ topic: name }) => name === 'output');
    expect(outputs.map(({ key }) => key)).toEqual(['b', 'c']);
  });

  it('restores many records in several batches', async () => {
    const task = await open(counting());
    const records = Array.from({ length: 12_345 }, (_, i) => ({ key: `k${i % 9000}`, value: `${i}` }));
    expect(await task.applyRestored(fetchedPartition(records, { topic: 'app-texts-changelog' }))).toBe(12_345);
    await task.finishRestore();
    const store = task.state.store('texts') as KeyValueStore<string, string>;
    expect([store.get('k0'), store.get('k8999')]).toEqual(['9000', '8999']);
  });

  it('releases its state when it is closed, and refuses work', async () => {
    const engine = memoryEngine();
    const task = await open(counting(), {
      components: taskComponents({ engine, clock: stillClock }),
    });
    await task.close({ clean: true });
    expect(() => task.process(1, Infinity)).toThrow(/closed/);
    const again = await engine.open({ directory: 'task', taskId: '0_0', logger: silentLogger });
    await again.close();
  });
});
