import type { RecordContext, Serde, Topic } from '@millrace/core';
import type { StreamPartitioner, TopicNameExtractor } from '@millrace/topology';
import type { ProducedOptions } from '../options/operator-options.ts';
import type { StreamOrigin } from '../origin/origins.ts';
import { windowedPartitioner } from '../windows/windowed-partitioner.ts';
import type { WindowedSerde } from '../windows/windowed-serde.ts';

/** Chooses the topic of a record. */
export type TopicChooser<K, V> = (value: V, key: K, context: RecordContext) => string;

/**
 * What a topic must be for a stream to be written to it: able to write the stream's keys and values. A topic of a wider type
 * will do. Absent keys and values never reach a serde.
 */
export interface SinkTopic<K, V> {
  readonly name: string;
  readonly key: { readonly serialize: (key: NonNullable<K>, topic: string) => Uint8Array };
  readonly value: { readonly serialize: (value: NonNullable<V>, topic: string) => Uint8Array };
}

/** `to`: writes the stream to a topic. */
export function addSink<K, V>(
  from: StreamOrigin<K, V>,
  target: string | Topic<K, V> | TopicChooser<K, V>,
  options: ProducedOptions<K, V>,
): void {
  const { dsl } = from;
  const topic = typeof target === 'object' ? target : undefined;
  const keySerde = options.key ?? topic?.key ?? from.key ?? (dsl.defaults.key as Serde<K> | undefined);
  const valueSerde = options.value ?? topic?.value ?? from.value ?? (dsl.defaults.value as Serde<V> | undefined);
  const name = dsl.names.orNext(options.name, 'KSTREAM-SINK-');
  const partitioner = options.partitioner ?? defaultPartitioner(keySerde);
  dsl.graph.create([from.node], name, {
    kind: 'sink',
    spec: {
      kind: 'sink',
      name,
      topic: targetTopic(target),
      keySerde: keySerde as Serde<unknown> | undefined,
      valueSerde: valueSerde as Serde<unknown> | undefined,
      partitioner: partitioner as StreamPartitioner<unknown, unknown> | undefined,
    },
  });
}

function targetTopic<K, V>(target: string | Topic<K, V> | TopicChooser<K, V>): string | TopicNameExtractor<unknown, unknown> {
  if (typeof target === 'string') return target;
  if (typeof target === 'object') return target.name;
  return (key, value, context) => target(value as V, key as K, context);
}

function defaultPartitioner<K>(key: Serde<K> | undefined): StreamPartitioner<never, unknown> | undefined {
  return isWindowed(key) ? (windowedPartitioner(key.inner) as StreamPartitioner<never, unknown>) : undefined;
}

function isWindowed(serde: object | undefined): serde is WindowedSerde<unknown> {
  return serde !== undefined && 'inner' in serde;
}
