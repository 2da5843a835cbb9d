import { int32, json, string, topic } from '@millrace/core';
import { StreamsBuilder } from '@millrace/dsl';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import type { FixedKeyProcessor, FixedKeyProcessorContext, Processor, Topology } from '@millrace/topology';

const text = { key: string(), value: string() };

/**
 * Looks each value up in the global table `names`, and in the global store `ranks` that a processor fills from JSON texts:
 * `<value>/<name>/<rank>`.
 */
export function enriching(prefix: string): Topology {
  const builder = new StreamsBuilder();
  const names = builder.globalTable(topic(`${prefix}names`, text), { store: 'names' });
  const ranks = topic(`${prefix}ranks`, { key: string(), value: json<number>() });
  builder.addGlobalStore(keyValueStore('ranks', string(), int32()), ranks, rankKeeper);
  builder
    .stream(topic(`${prefix}input`, text))
    .leftJoin(names, (value, name) => `${value}/${name ?? '-'}`, { keySelector: (value) => value, value: string() })
    .processValues(rankReader, { value: string() })
    .to(topic(`${prefix}output`, text));
  return builder.build();
}

function rankKeeper(): Processor<string, number, never, never> {
  let ranks: KeyValueStore<string, number>;
  return {
    init(context) {
      ranks = context.getStateStore('ranks');
    },
    process({ key, value }) {
      ranks.put(key, value * 10);
    },
  };
}

function rankReader(): FixedKeyProcessor<string, string, string> {
  let context: FixedKeyProcessorContext<string, string>;
  let ranks: KeyValueStore<string, number>;
  return {
    init(given) {
      context = given;
      ranks = given.getStateStore('ranks');
    },
    process(record) {
      const rank = ranks.get(record.value.slice(0, record.value.indexOf('/')));
      context.forward(record.withValue(`${record.value}/${rank ?? '-'}`));
    },
  };
}

/** The rows of a table whose topic is its changelog, joined with a stream: `<value>/<row>`. */
export function reusing(prefix: string): Topology {
  const builder = new StreamsBuilder();
  const names = builder.table(topic(`${prefix}names`, text), { store: 'names' });
  builder
    .stream(topic(`${prefix}input`, text))
    .leftJoin(names, (value, name) => `${value}/${name ?? '-'}`)
    .to(topic(`${prefix}output`, text));
  return builder.build({ optimization: 'all' });
}
