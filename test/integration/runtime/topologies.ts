import { int32, int64, json, string, topic } from '@millrace/core';
import { JoinWindows, StreamsBuilder, TimeWindows } from '@millrace/dsl';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import { Topology, type Processor, type ProcessorContext, type ProcessorSupplier } from '@millrace/topology';
import { asyncCounting } from './async-counting.ts';
import { enriching, reusing } from './global-topologies.ts';
import { stamping } from './stamping.ts';
import { referring } from './table-topologies.ts';
import { ticking } from './ticking.ts';

/** Is told which tasks processors of this process belong to. */
export type TaskListener = (change: 'opened' | 'closed', taskId: string) => void;

const text = { key: string(), value: string() };

/**
 * Counts the records of each key and forwards `<count>:<value>`. With values that number the records of a key from 1, each
 * output shows whether everything before it was counted once: `7:7`.
 */
function counter(
  onTask: TaskListener,
  beforeCount: (value: string) => void,
  store = 'counts',
): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  let counts: KeyValueStore<string, number>;
  return {
    init(given) {
      context = given;
      counts = given.getStateStore(store);
      onTask('opened', given.taskId);
    },
    process(record) {
      beforeCount(record.value);
      const count = (counts.get(record.key) ?? 0) + 1;
      counts.put(record.key, count);
      context.forward(record.withValue(`${count}:${record.value}`));
    },
    close() {
      onTask('closed', context.taskId);
    },
  };
}

function withCounter(prefix: string, supplier: ProcessorSupplier<string, string, string, string>, store = 'counts'): Topology {
  return new Topology()
    .addSource('input', topic(`${prefix}input`, text))
    .addProcessor('count', supplier, ['input'])
    .addStateStore(keyValueStore(store, string(), int32()), ['count'])
    .addSink('output', topic(`${prefix}output`, text), ['count']);
}

/** The next version of the counting: its store has another name, so its tasks are not those of the first. */
function countingRenamed(prefix: string, onTask: TaskListener): Topology {
  return withCounter(prefix, () => counter(onTask, () => undefined, 'tallies'), 'tallies');
}

/** `<prefix>input` → count → `<prefix>output`; a value that begins with `!` makes it throw, `!once` only the first time. */
function counting(prefix: string, onTask: TaskListener): Topology {
  let thrown = false;
  return withCounter(prefix, () =>
    counter(onTask, (value) => {
      if (!value.startsWith('!') || (thrown && value === '!once')) return;
      thrown = true;
      throw new Error(`cannot count ${value}`);
    }),
  );
}

/** The DSL's count: its changelog holds the bytes of Kafka Streams. */
function dslCounting(prefix: string): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topic(`${prefix}input`, text))
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .to(topic(`${prefix}output`, { key: string(), value: int64() }));
  return builder.build();
}

/** Counts by key and minute; the values that it writes are `<start of the window>=<count>`. */
function windowedCounting(prefix: string): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topic(`${prefix}input`, text))
    .groupByKey()
    .windowedBy(TimeWindows.ofSize('1 minute', { grace: '1 day' }))
    .count({ store: 'counts' })
    .toStream()
    .map((count, { key, window }) => [key, `${window.start}=${count}`])
    .to(topic(`${prefix}output`, text));
  return builder.build();
}

/** Counts by value, which takes a repartition topic in between. */
function countingByValue(prefix: string): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topic(`${prefix}input`, text))
    .groupBy((value) => value, text)
    .count({ store: 'counts' })
    .toStream()
    .mapValues(String)
    .to(topic(`${prefix}output`, text));
  return builder.build();
}

/** Two inputs whose records meet. */
function joining(prefix: string): Topology {
  const builder = new StreamsBuilder();
  const [left, right] = [builder.stream(topic(`${prefix}left`, text)), builder.stream(topic(`${prefix}right`, text))];
  left.join(right, (one, other) => one + other, { within: '1 minute' }).to(topic(`${prefix}output`, text));
  return builder.build();
}

/** Left records find right ones within a minute, or come alone when the minute and five more are over. */
function leftJoining(prefix: string): Topology {
  const builder = new StreamsBuilder();
  const [left, right] = [builder.stream(topic(`${prefix}left`, text)), builder.stream(topic(`${prefix}right`, text))];
  const within = JoinWindows.ofTimeDifference('1 minute', { grace: '5 minutes' });
  left
    .leftJoin(right, (one, other) => `${one}+${other ?? 'none'}`, { within, storeName: 'pairs' })
    .to(topic(`${prefix}output`, text));
  return builder.build();
}

/** Values must be JSON. */
function parsing(prefix: string): Topology {
  return new Topology()
    .addSource('input', topic(`${prefix}input`, { key: string(), value: json<unknown>() }))
    .addSink('output', topic(`${prefix}output`, { key: string(), value: json<unknown>() }), ['input']);
}

/**
 * Sums up numbers by key; a record with the value `all` answers with the sum of all keys, read as a range, and each half second
 * of wall-clock time forwards how many keys there are.
 */
function ranging(prefix: string): Topology {
  return new Topology()
    .addSource('input', topic(`${prefix}input`, text))
    .addProcessor('sum', summer, ['input'])
    .addStateStore(keyValueStore('sums', string(), int32()), ['sum'])
    .addSink('output', topic(`${prefix}output`, text), ['sum']);
}

function summer(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  let sums: KeyValueStore<string, number>;
  return {
    init(given) {
      context = given;
      sums = given.getStateStore('sums');
      given.schedule(500, 'wall-clock-time', async (timestamp) => {
        let keys = 0;
        for await (const _row of sums.all()) keys++;
        context.forward(context.record('keys', String(keys), timestamp));
      });
    },
    async process(record) {
      if (record.value !== 'all') return sums.put(record.key, (sums.get(record.key) ?? 0) + Number(record.value));
      let total = 0;
      for await (const [, sum] of sums.all()) total += sum;
      context.forward(record.withValue(String(total)));
    },
  };
}

const TOPOLOGIES = {
  counting,
  countingRenamed,
  dslCounting,
  windowedCounting,
  countingByValue,
  joining,
  leftJoining,
  parsing,
  ranging,
  ticking,
  enriching,
  reusing,
  referring,
  stamping,
  asyncCounting: asyncCounting(40),
  slowAsyncCounting: asyncCounting(400),
};

export type TopologyName = keyof typeof TOPOLOGIES;

/** @param prefix of the names of all topics */
export function buildTopology(name: TopologyName, prefix: string, onTask: TaskListener): Topology {
  return TOPOLOGIES[name](prefix, onTask);
}
