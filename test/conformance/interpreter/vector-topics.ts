import { json, type Serde, string, type Topic, topic } from '@millrace/core';
import type { WindowedKey } from '@millrace/state';
import type { Value } from '../functions.ts';

/** A key of any vector: a text, or a text in a window. */
export type VectorKey = string | WindowedKey<string>;

const windowedMark = 0xff;

/**
 * Keys on the vectors' output topics. A vector does not say which of its topics carry windowed keys, so the bytes do: texts
 * are UTF-8, windowed keys are JSON behind a byte that UTF-8 has not.
 */
export const vectorKey: Serde<VectorKey> = {
  name: 'vector key',
  immutable: true,
  serialize(key) {
    if (typeof key === 'string') return string().serialize(key, '');
    return Buffer.concat([Buffer.of(windowedMark), Buffer.from(JSON.stringify(key))]);
  },
  deserialize(bytes) {
    if (bytes[0] !== windowedMark) return string().deserialize(bytes, '');
    return JSON.parse(Buffer.from(bytes.subarray(1)).toString()) as VectorKey;
  },
};

/** A topic that is read with plain text keys. */
export function inputTopic(name: string): Topic<string, Value> {
  return topic(name, { key: string(), value: json<Value>() });
}

/** A topic that is written with whatever keys the vector has. */
export function outputTopic(name: string): Topic<VectorKey, Value> {
  return topic(name, { key: vectorKey, value: json<Value>() });
}
