import { int32, string, systemClock, systemRandom, topic } from '@millrace/core';
import { StreamsBuilder } from '@millrace/dsl';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import type { AsyncCall, AsyncProcessor, ProcessorContext, Topology } from '@millrace/topology';

type OnTask = (change: 'opened' | 'closed', taskId: string) => void;

const text = { key: string(), value: string() };
const retry = { attempts: 20, backoffMs: 5 };

/** Takes up to `maxMs`, and fails now and then. */
async function callOutside(maxMs: number, { signal }: AsyncCall): Promise<void> {
  await systemClock.sleep(systemRandom.next() * maxMs, signal);
  if (systemRandom.next() < 0.02) throw new Error('the service is busy');
}

/** Counts the records of each key after a call for each, and forwards `<count>:<value>`. */
function askingCounter(onTask: OnTask, maxMs: number): AsyncProcessor<string, string, void, string, string> {
  let context: ProcessorContext<string, string>;
  let counts: KeyValueStore<string, number>;
  return {
    init(given) {
      context = given;
      counts = given.getStateStore('counts');
      onTask('opened', given.taskId);
    },
    request: (_record, call) => callOutside(maxMs, call),
    process(record) {
      const count = (counts.get(record.key) ?? 0) + 1;
      counts.put(record.key, count);
      context.forward(record.withValue(`${count}:${record.value}`));
    },
    close() {
      onTask('closed', context.taskId);
    },
  };
}

/**
 * Counts the records of each key behind two asynchronous operators, whose calls take up to `maxMs`: records of different keys pass
 * each other all the time.
 */
export function asyncCounting(maxMs: number): (prefix: string, onTask: OnTask) => Topology {
  return (prefix, onTask) => {
    const builder = new StreamsBuilder();
    builder.addStateStore(keyValueStore('counts', string(), int32()));
    builder
      .stream(topic(`${prefix}input`, text))
      .mapValuesAsync((value, _key, call) => callOutside(maxMs, call).then(() => value), { value: string(), retry })
      .processAsync(() => askingCounter(onTask, maxMs), { ...text, stores: ['counts'], retry, concurrency: 8 })
      .to(topic(`${prefix}output`, text));
    return builder.build();
  };
}
