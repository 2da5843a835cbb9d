import { json, string, type TimestampExtractor } from '@millrace/core';
import type { StreamsBuilder } from '@millrace/dsl';
import {
  keyValueStore,
  lruStore,
  sessionStore,
  type StoreBuilder,
  timestampedKeyValueStore,
  versionedKeyValueStore,
  windowStore,
} from '@millrace/state';
import type { FunctionRef, Json, StepJson, StoreJson } from '../vector.ts';
import { materialized } from './materialized.ts';
import { processorSupplier } from './processors.ts';
import { inputTopic } from './vector-topics.ts';

/** A step that stands at the beginning: a source, or a store that processors share. */
export function sourceStep(builder: StreamsBuilder, step: StepJson): unknown {
  const options = { ...named(step), ...extractor(step.timestampField) };
  switch (step.op) {
    case 'stream':
      if (step.pattern !== undefined) return builder.stream(new RegExp(step.pattern), options);
      return builder.stream((step.topics ?? [step.topic as string]).map(inputTopic), options);
    case 'table':
      return builder.table(inputTopic(step.topic as string), { ...options, ...materialized(step.store) });
    case 'globalTable':
      return builder.globalTable(inputTopic(step.topic as string), { ...named(step), ...materialized(step.store) });
    case 'addGlobalStore':
      return builder.addGlobalStore(
        storeBuilder(step.store as StoreJson),
        inputTopic(step.topic as string),
        processorSupplier(step.processor as FunctionRef) as never,
        named(step),
      );
    case 'addStore':
      return builder.addStateStore(storeBuilder(step.store as StoreJson));
    default:
      throw new Error(`no step without "from" is called ${step.op}`);
  }
}

export function named(step: { readonly name?: string }): { readonly name?: string } {
  return step.name === undefined ? {} : { name: step.name };
}

function extractor(field: string | undefined): { readonly timestampExtractor?: TimestampExtractor } {
  if (field === undefined) return {};
  return {
    timestampExtractor: (record, partitionTime) => {
      const found = (record.value as Readonly<Record<string, unknown>> | undefined)?.[field];
      if (found === 'partitionTime') return partitionTime;
      return typeof found === 'number' ? found : -1;
    },
  };
}

function storeBuilder(store: StoreJson): StoreBuilder {
  const {
    name = '',
    kind,
    inMemory = false,
    retentionMs = 1,
    windowSizeMs = 1,
    historyMs = 0,
    maxEntries = 1,
    retainDuplicates = false,
  } = store;
  const serdes = [name, string(), json<Json>()] as const;
  switch (kind) {
    case 'keyValue':
      return keyValueStore(...serdes, { inMemory });
    case 'timestampedKeyValue':
      return timestampedKeyValueStore(...serdes, { inMemory });
    case 'versioned':
      return versionedKeyValueStore(...serdes, { inMemory, historyRetentionMs: historyMs });
    case 'lru':
      return lruStore(...serdes, { maxEntries });
    case 'window':
      return windowStore(...serdes, { inMemory, retentionMs, windowSizeMs, retainDuplicates });
    case 'session':
      return sessionStore(...serdes, { inMemory, retentionMs });
    default:
      throw new Error(`no kind of store is called ${kind}`);
  }
}
