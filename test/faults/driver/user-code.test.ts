import { bytes, json, string, topic } from '@millrace/core';
import { StreamsBuilder } from '@millrace/dsl';
import { TopologyTestDriver } from '@millrace/testing';
import { type Processor, type ProcessorContext, Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';

const input = topic('in', { key: string(), value: string() });
const out = topic('out', { key: string(), value: string() });

type Place = 'init' | 'process' | 'rejects' | 'punctuator' | 'close';

/** Forwards each record twice; fails in between, or where it is told to. */
function failingAt(place: Place): Topology {
  const fail = (where: Place): void => {
    if (where === place) throw new Error(`the test fails in ${where}`);
  };
  const supplier = (): Processor<string, string, string, string> => {
    let context: ProcessorContext<string, string>;
    return {
      init(given) {
        context = given;
        fail('init');
        given.schedule(1000, 'wall-clock-time', () => {
          context.forward(context.record('from', 'punctuator', 0));
          fail('punctuator');
        });
      },
      process(record) {
        context.forward(record);
        if (record.value === 'bad') fail('process');
        if (record.value === 'bad' && place === 'rejects') return Promise.reject(new Error('the test fails in rejects'));
        context.forward(record);
        return undefined;
      },
      close: () => fail('close'),
    };
  };
  return new Topology().addSource('source', input).addProcessor('node', supplier, ['source']).addSink('sink', out, ['node']);
}

describe('F29 user code that fails', () => {
  it('in init: nothing starts, and the error says where', async () => {
    await expect(TopologyTestDriver.open(failingAt('init'))).rejects.toThrow(/the test fails in init/);
  });

  it.each(['process', 'rejects'] as const)('in %s: nothing of the record comes out', async (place) => {
    const driver = await TopologyTestDriver.open(failingAt(place));
    const records = driver.createInputTopic(input);
    await records.pipeInput('k', 'good', { timestamp: 1 });
    await expect(records.pipeInput('k', 'bad', { timestamp: 2 })).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
      topic: 'in',
      partition: 0,
      offset: 1,
      node: 'node',
    });
    expect(driver.createOutputTopic(out).readValuesToList()).toEqual(['good', 'good']);
    await driver.close();
  });

  it('in a punctuator: nothing of it comes out, and the error says where', async () => {
    const driver = await TopologyTestDriver.open(failingAt('punctuator'));
    await expect(driver.advanceWallClock(1000)).rejects.toMatchObject({ node: 'node' });
    expect(driver.createOutputTopic(out).readValuesToList()).toEqual([]);
    await driver.close();
  });

  it('in close: what was processed is there', async () => {
    const driver = await TopologyTestDriver.open(failingAt('close'));
    await driver.createInputTopic(input).pipeInput('k', 'good', { timestamp: 1 });
    expect(driver.createOutputTopic(out).readValuesToList()).toEqual(['good', 'good']);
    await driver.close().catch((error: unknown) => expect(String(error)).toContain('the test fails in close'));
  });
});

describe('F32 user code that keeps what it was given', () => {
  it('finds bytes unchanged after thousands of other records', async () => {
    const raw = topic('raw', { key: bytes(), value: bytes() });
    const builder = new StreamsBuilder();
    const keptValues: Uint8Array[] = [];
    const copies: string[] = [];
    builder.stream(raw).foreach((value) => {
      if (value === undefined) return;
      keptValues.push(value);
      copies.push(Buffer.from(value).toString('hex'));
    });
    await using driver = await TopologyTestDriver.open(builder.build());
    const records = driver.createInputTopic(raw);
    for (let n = 0; n < 3000; n++) await records.pipeInput(Buffer.from([n & 255]), Buffer.from(`value ${n}`), { timestamp: n });
    expect(keptValues.map((value) => Buffer.from(value).toString('hex'))).toEqual(copies);
  });

  it('changes only its own copy of a row', async () => {
    const builder = new StreamsBuilder();
    const objects = topic('objects', { key: string(), value: json<{ n: number }>() });
    builder
      .stream(objects)
      .groupByKey()
      .reduce((last, value) => ({ n: last.n + value.n }), { store: 'sums' })
      .toStream()
      // Rude: the object is the one that the store was given.
      .peek((value) => Object.assign(value as object, { n: -1 }))
      .to(topic('out', { key: string(), value: json<{ n: number }>() }));
    await using driver = await TopologyTestDriver.open(builder.build());
    const records = driver.createInputTopic(objects);
    for (const n of [1, 2, 3]) await records.pipeInput('k', { n }, { timestamp: n });
    const store = driver.getTimestampedKeyValueStore<string, { n: number }>('sums');
    expect(store.get('k')?.value).toEqual({ n: 6 });
  });
});
