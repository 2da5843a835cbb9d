import type { ValueTransformer, ValueTransformerSupplier } from '@millrace/dsl';
import type { KeyValueStore } from '@millrace/state';
import { mapper, number, text, type Value } from '../functions.ts';
import type { FunctionRef, Json } from '../vector.ts';
import type { VectorKey } from './vector-topics.ts';

/** A supplier of the transformer (README §6) that the reference names. */
export function transformerSupplier(ref: FunctionRef): ValueTransformerSupplier<VectorKey, Value, Value> {
  const [name, argument] = ref as readonly [string, Json];
  if (name === 'map') {
    const map = mapper(argument as FunctionRef);
    return () => ({ transform: (value, key) => map(value, key) });
  }
  if (name === 'countPerKey') return () => countPerKey(argument as string);
  throw new Error(`no transformer is called ${name}`);
}

function countPerKey(storeName: string): ValueTransformer<VectorKey, Value, Value> {
  let store: KeyValueStore<VectorKey, Json>;
  return {
    init(context) {
      store = context.getStateStore(storeName);
    },
    transform(value, key) {
      const count = number(store.get(key)) + 1;
      store.put(key, count);
      return `${text(value)}#${count}`;
    },
  };
}
