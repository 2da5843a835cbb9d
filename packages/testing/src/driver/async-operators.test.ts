import { silentLogger, string, systemClock, topic } from '@millrace/core';
import { DROPPED_RECORDS, logAndContinueProcessing } from '@millrace/runtime';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import {
  asyncProcessorNodeSupplier,
  Topology,
  type AsyncCall,
  type AsyncProcessor,
  type AsyncSettings,
  type ProcessorContext,
} from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import type { TopologyTestDriverOptions } from './driver-options.ts';
import { TopologyTestDriver } from './topology-test-driver.ts';

const words = topic('words', { key: string(), value: string() });
const answers = topic('answers', { key: string(), value: string() });

const SETTINGS: AsyncSettings = {
  concurrency: 16,
  timeoutMs: 1000,
  attempts: 1,
  backoffMs: 100,
  maxBackoffMs: 1000,
  order: 'perKey',
};

type Ask = (value: string, call: AsyncCall) => Promise<string>;

/** Asks for each word, and forwards `<number of answers for the key>:<answer>`. */
function asking(ask: Ask, settings: Partial<AsyncSettings> = {}): Topology {
  const supplier = (): AsyncProcessor<string, string, string, string, string> => {
    let context: ProcessorContext<string, string>;
    let counts: KeyValueStore<string, string>;
    return {
      init(given) {
        context = given;
        counts = given.getStateStore('counts');
      },
      request: (record, call) => ask(record.value, call),
      process(record, answer) {
        const count = Number(counts.get(record.key) ?? '0') + 1;
        counts.put(record.key, String(count));
        context.forward(record.withValue(`${count}:${answer}`));
      },
    };
  };
  return new Topology()
    .addSource('words', words)
    .addNode('ask', asyncProcessorNodeSupplier(supplier, { ...SETTINGS, ...settings }), ['words'])
    .addStateStore(keyValueStore('counts', string(), string()), ['ask'])
    .addSink('answers', answers, ['ask']);
}

async function open(topology: Topology, options: TopologyTestDriverOptions = {}) {
  const driver = await TopologyTestDriver.open(topology, options);
  const output = driver.createOutputTopic(answers);
  return {
    driver,
    pipe: (...values: string[]) => driver.createInputTopic(words).pipeList(values.map((value) => ['k', value] as const)),
    pipeKeys: (...keys: string[]) => driver.createInputTopic(words).pipeList(keys.map((key) => [key, key] as const)),
    /** What has been committed since the last call. */
    answers: () => output.readValuesToList(),
    [Symbol.asyncDispose]: () => driver.close(),
  };
}

/** A promise that the test settles. */
function deferred<T>(): { readonly promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

function dropped({ metrics }: TopologyTestDriver): number {
  return metrics.samples().reduce((sum, { name, value }) => sum + (name === DROPPED_RECORDS ? value : 0), 0);
}

describe('asynchronous operators in the driver', () => {
  it('have ended when pipeInput resolves, if they wait for nothing but promises', async () => {
    await using test = await open(asking(async (value) => value.toUpperCase()));
    await test.pipe('a', 'b');
    expect(test.answers()).toEqual(['1:A', '2:B']);
  });

  it('hold the commit, and so all outputs, until the last has come in', async () => {
    const slow = deferred<string>();
    await using test = await open(asking((value) => (value === 'slow' ? slow.promise : Promise.resolve(value))));
    await test.pipeKeys('slow', 'quick');
    expect(test.answers()).toEqual([]);
    slow.resolve('done');
    await test.driver.settled();
    expect(test.answers()).toEqual(['1:quick', '1:done']);
  });

  it('are waited for in real time by settled()', async () => {
    await using test = await open(asking((value) => systemClock.sleep(5).then(() => value)));
    await test.pipe('a', 'b');
    await test.driver.settled();
    expect(test.answers()).toEqual(['1:a', '2:b']);
  });

  it('are called again after pauses in virtual time, twice as long each', async () => {
    const calls: [atMs: number, attempt: number][] = [];
    await using test = await open(
      asking(
        async (value, { attempt }) => {
          calls.push([test.driver.clock.nowMs(), attempt]);
          if (attempt < 4) throw new Error('busy');
          return value;
        },
        { attempts: 4, maxBackoffMs: 300 },
      ),
    );
    await test.pipe('a');
    expect(calls).toEqual([[0, 1]]);
    await test.driver.advanceWallClock(10_000);
    expect(calls).toEqual([
      [0, 1],
      [100, 2],
      [300, 3],
      [600, 4],
    ]);
    expect(test.answers()).toEqual(['1:a']);
    expect(test.driver.clock.nowMs()).toBe(10_000);
  });

  it('go to the handler when they do not answer in time, with a signal that has fired', async () => {
    const signals: AbortSignal[] = [];
    const never: Ask = (_value, { signal }) => {
      signals.push(signal);
      return new Promise(() => undefined);
    };
    await using test = await open(asking(never));
    await test.pipe('a');
    await expect(test.driver.advanceWallClock(1000)).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
      node: 'ask',
      topic: 'words',
      offset: 0,
      cause: { name: 'TimeoutError' },
    });
    expect(signals.map(({ reason }) => reason.name)).toEqual(['TimeoutError']);
  });

  it('leave a record out when the handler says continue, and commit past it', async () => {
    const handler = logAndContinueProcessing(silentLogger);
    await using test = await open(
      asking((value) => (value === 'bad' ? Promise.reject(new Error('bad')) : Promise.resolve(value))),
      { onProcessingError: handler },
    );
    await test.pipe('a', 'bad', 'b');
    expect(test.answers()).toEqual(['1:a', '2:b']);
    expect(dropped(test.driver)).toBe(1);
    await test.driver.crash();
    await test.driver.restart();
    await test.pipe('c');
    expect(test.answers()).toEqual(['3:c']);
  });

  it('are aborted by a crash, and made again for the same records after the restart', async () => {
    const calls: { readonly offset: number; readonly signal: AbortSignal }[] = [];
    const slow = deferred<string>();
    await using test = await open(
      asking((value, call) => {
        calls.push(call);
        return calls.length === 1 ? slow.promise : Promise.resolve(value);
      }),
    );
    await test.pipe('a');
    await test.driver.crash();
    expect(calls[0]?.signal.reason).toMatchObject({ name: 'AbortError' });
    slow.resolve('too late');
    await test.driver.restart();
    expect(calls.map(({ offset }) => offset)).toEqual([0, 0]);
    expect(test.answers()).toEqual(['1:a']);
  });

  it('take no more records than their concurrency at a time', async () => {
    const waiting = new Map<string, (value: string) => void>();
    const asked: string[] = [];
    const ask: Ask = (value) => {
      asked.push(value);
      return new Promise((resolve) => waiting.set(value, resolve));
    };
    await using test = await open(asking(ask, { concurrency: 2 }));
    await test.pipeKeys('a', 'b', 'c', 'd');
    expect(asked).toEqual(['a', 'b']);
    waiting.get('b')?.('B');
    await test.driver.advanceWallClock(0);
    expect(asked).toEqual(['a', 'b', 'c']);
    for (const key of ['a', 'c']) waiting.get(key)?.(key);
    await test.driver.advanceWallClock(0);
    waiting.get('d')?.('D');
    await test.driver.advanceWallClock(0);
    expect(test.answers()).toEqual(['1:B', '1:a', '1:c', '1:D']);
  });

  it('are committed by commit() as soon as nothing is under way', async () => {
    const slow = deferred<string>();
    await using test = await open(
      asking(() => slow.promise),
      { autoCommit: false },
    );
    await test.pipe('a');
    await test.driver.commit();
    slow.resolve('A');
    await test.driver.settled();
    expect(test.answers()).toEqual(['1:A']);
  });
});
