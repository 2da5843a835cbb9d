import { randomUUID } from 'node:crypto';
import { string, topic } from '@millrace/core';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import { type Processor, type ProcessorContext, Topology } from '@millrace/topology';

const text = { key: string(), value: string() };

/** What the twin of a key begins with. */
export const TWIN = '~';

/**
 * Puts a stamp that nobody can guess under the key of each record and under its twin, and forwards it: a stamp in the store that is
 * not in the output was never committed, and twins that differ were not read at one moment.
 */
export function stamping(prefix: string): Topology {
  return new Topology()
    .addSource('input', topic(`${prefix}input`, text))
    .addProcessor('stamp', stamper, ['input'])
    .addStateStore(keyValueStore('stamps', string(), string()), ['stamp'])
    .addSink('output', topic(`${prefix}output`, text), ['stamp']);
}

function stamper(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  let stamps: KeyValueStore<string, string>;
  return {
    init(given) {
      context = given;
      stamps = given.getStateStore('stamps');
    },
    process(record) {
      const stamp = randomUUID();
      stamps.put(record.key, stamp);
      stamps.put(TWIN + record.key, stamp);
      context.forward(record.withValue(stamp));
    },
  };
}
