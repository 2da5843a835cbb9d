import { ByteBuffer, FatalStreamsError, ProcessingError, type Serde, writeWith } from '@millrace/core';
import type { StateDatabase, StateSnapshot } from '../contracts/engine.ts';
import type { StateStore, StoreReaderBuilder } from '../contracts/state-store.ts';

/**
 * How the stores of a builder are read from outside.
 *
 * @param build makes a store of the same layout, without what is only of use to operators and would be loaded when it is opened
 */
export function storeReader<K>(name: string, keySerde: Serde<K>, build: () => StateStore): StoreReaderBuilder {
  return {
    build: () => frozenWhileOpen(build()),
    keyBytes(key, topic) {
      if (key == null) {
        const message = 'a store was asked for an absent key; check for it before';
        throw new ProcessingError('STORE_KEY_ABSENT', message, { store: name });
      }
      const target = new ByteBuffer(64);
      writeWith(keySerde, key as K, target, topic);
      return target.view();
    },
  };
}

/**
 * Lets a store see the database as it is when the store is opened, until it is closed.
 *
 * Why: stores look more than once for one answer, at the observed time and then into one time bucket after the other, and a commit
 * may be written meanwhile, on another thread. A session that it moves from one bucket to the next would be found twice, or not at
 * all.
 */
function frozenWhileOpen(store: StateStore): StateStore {
  const open = store.open.bind(store);
  const close = store.close.bind(store);
  let snapshot: StateSnapshot | undefined;
  store.open = async (context) => {
    snapshot = context.database.snapshot?.();
    try {
      await open(snapshot === undefined ? context : { ...context, database: readOnly(snapshot) });
    } catch (error) {
      snapshot?.close();
      throw error;
    }
  };
  store.close = () => {
    close();
    snapshot?.close();
  };
  return store;
}

function readOnly(snapshot: StateSnapshot): StateDatabase {
  return {
    get: (key) => snapshot.get(key),
    entries: (range, options) => snapshot.entries(range, options),
    write: () => Promise.reject(new FatalStreamsError('BUG', 'a store that is only read was to be written')),
    close: async () => snapshot.close(),
  };
}
