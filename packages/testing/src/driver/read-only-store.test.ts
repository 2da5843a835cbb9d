import { int64, string, topic } from '@millrace/core';
import { type KeyValueStore, keyValueStore } from '@millrace/state';
import { type AsyncProcessor, type Processor, type ProcessorContext, Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from './topology-test-driver.ts';

const prices = topic('prices', { key: string(), value: int64() });
const orders = topic('orders', { key: string(), value: int64() });
const totals = topic('totals', { key: string(), value: int64() });

function keeper(puts: string[]): Processor<string, number> {
  let store: KeyValueStore<string, number>;
  return {
    init(context) {
      store = context.getStateStore('price-of');
    },
    process({ key, value }) {
      puts.push(key);
      store.put(key, value);
    },
  };
}

function pricer(): Processor<string, number, string, number> {
  let context: ProcessorContext<string, number>;
  let store: KeyValueStore<string, number>;
  return {
    init(given) {
      context = given;
      store = given.getStateStore('price-of');
    },
    process: (record) => context.forward(record.withValue(record.value * (store.get(record.key) ?? 0))),
  };
}

/** Orders times the prices of a topic that somebody else writes. `puts`: what the store's own processor was given. */
function pricing(puts: string[]): Topology {
  return new Topology()
    .addReadOnlyStateStore(
      keyValueStore('price-of', string(), int64()),
      { name: 'prices-in', topic: prices },
      { name: 'keep', supplier: () => keeper(puts) },
    )
    .addSource('orders-in', orders)
    .addProcessor('price', pricer, ['orders-in'], { stores: ['price-of'] })
    .addSink('totals-out', totals, ['price']);
}

describe('a read-only store', () => {
  it('is filled by its processor, read by others, and has no changelog', async () => {
    await using driver = await TopologyTestDriver.open(pricing([]));
    await driver.createInputTopic(prices).pipeInput('tea', 3);
    await driver.createInputTopic(orders).pipeInput('tea', 5);
    expect(driver.createOutputTopic(totals).readValuesToList()).toEqual([15]);
    expect(driver.producedTopicNames()).toEqual(['totals']);
  });

  it('is restored from its topic, without its processor', async () => {
    const puts: string[] = [];
    await using driver = await TopologyTestDriver.open(pricing(puts));
    const priced = driver.createInputTopic(prices);
    await priced.pipeInput('tea', 3);
    await priced.pipeInput('milk', 2);
    await priced.pipeInput('tea', 4);
    await priced.pipeInput('milk', undefined);
    await driver.crash();
    await driver.restart();
    await driver.createInputTopic(orders).pipeInput('tea', 5);
    await driver.createInputTopic(orders).pipeInput('milk', 5);
    expect(driver.createOutputTopic(totals).readValuesToList()).toEqual([20, 0]);
    expect(puts).toEqual(['tea', 'milk', 'tea', 'milk']);
  });
});

describe('an asynchronous processor of a topology by hand', () => {
  it('asks for each record and forwards with its answer', async () => {
    const topology = new Topology()
      .addSource('orders-in', orders)
      .addAsyncProcessor('quote', quoter, ['orders-in'], { concurrency: 2 })
      .addSink('totals-out', totals, ['quote']);
    await using driver = await TopologyTestDriver.open(topology);
    await driver.createInputTopic(orders).pipeList([
      ['tea', 1],
      ['tea', 2],
    ]);
    await driver.settled();
    expect(driver.createOutputTopic(totals).readValuesToList()).toEqual([10, 20]);
  });
});

function quoter(): AsyncProcessor<string, number, number, string, number> {
  let context: ProcessorContext<string, number>;
  return {
    init(given) {
      context = given;
    },
    request: ({ value }) => Promise.resolve(value * 10),
    process: (record, answer) => context.forward(record.withValue(answer)),
  };
}
