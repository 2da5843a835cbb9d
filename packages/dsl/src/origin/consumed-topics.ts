import type { Serde, TimestampExtractor, Topic } from '@millrace/core';
import type { SourceSpec } from '@millrace/topology';
import type { ConsumedOptions } from '../options/operator-options.ts';
import type { DslContext } from './dsl-context.ts';

/** A topic as users give it: with its serdes, or by name. */
export type TopicOrName<K, V> = Topic<K, V> | string;

/** What is read, and how it is read. */
export interface ConsumedTopics<K, V> {
  readonly topics: readonly string[] | RegExp;
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V> | undefined;
  readonly options: ConsumedOptions<K, V>;
}

export function nameOfTopic<K, V>(topic: TopicOrName<K, V>): string {
  return typeof topic === 'string' ? topic : topic.name;
}

/** Finds the serdes: those of the options, of the first topic that has some, of the builder. */
export function consumeTopics<K, V>(
  { defaults }: DslContext,
  topics: readonly TopicOrName<K, V>[] | RegExp,
  options: ConsumedOptions<K, V>,
): ConsumedTopics<K, V> {
  const list = topics instanceof RegExp ? [] : topics;
  const typed = list.find((entry) => typeof entry === 'object');
  return {
    topics: topics instanceof RegExp ? topics : list.map(nameOfTopic),
    key: options.key ?? typed?.key ?? (defaults.key as Serde<K> | undefined),
    value: options.value ?? typed?.value ?? (defaults.value as Serde<V> | undefined),
    options,
  };
}

export function sourceSpec<K, V>(name: string, { topics, key, value, options }: ConsumedTopics<K, V>): SourceSpec {
  return {
    kind: 'source',
    name,
    topics,
    keySerde: key as Serde<unknown> | undefined,
    valueSerde: value as Serde<unknown> | undefined,
    timestampExtractor: options.timestampExtractor as TimestampExtractor | undefined,
    offsetReset: options.offsetReset,
  };
}

/** The source of a store that every process holds all of: it is read from its beginning, whatever the options say. */
export function globalSourceSpec<K, V>(name: string, consumed: ConsumedTopics<K, V>): SourceSpec {
  return { ...sourceSpec(name, consumed), offsetReset: undefined };
}
