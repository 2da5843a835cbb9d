import { FatalStreamsError } from '@millrace/core';
import type { StateStore } from '@millrace/state';

/** What changes a store, or its life: the business of the one processor that keeps a global store, and of its task. */
const WRITING = [
  'close',
  'committed',
  'delete',
  'flushCache',
  'open',
  'prepareCommit',
  'put',
  'putAll',
  'putIfAbsent',
  'remove',
  'restore',
  'restored',
  'rollback',
  'setFlushListener',
  'write',
] as const satisfies readonly string[];

const writing = new Set<string>(WRITING);

/**
 * Global stores as processors see them. Reading goes straight to the store; everything that would change it throws
 * FatalStreamsError `GLOBAL_STORE_READ_ONLY`.
 *
 * Source: Kafka Streams `AbstractReadOnlyDecorator`.
 */
export function readOnlyStores(stores: ReadonlyMap<string, StateStore> = new Map()): ReadonlyMap<string, StateStore> {
  return new Map([...stores].map(([name, store]) => [name, readOnlyStore(store)]));
}

/** The members are bound once, so that reading costs no more than on the store itself. */
function readOnlyStore(store: StateStore): StateStore {
  const view = {};
  for (let from: object | null = store; from !== null && from !== Object.prototype; from = Object.getPrototypeOf(from)) {
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
      if (name === 'constructor' || Object.hasOwn(view, name)) continue;
      Object.defineProperty(view, name, readOnlyMember(store, name, member));
    }
  }
  return view as StateStore;
}

function readOnlyMember(store: StateStore, name: string, { value }: PropertyDescriptor): PropertyDescriptor {
  if (typeof value !== 'function') return { get: () => store[name as keyof StateStore], enumerable: true };
  return { value: writing.has(name) ? refusal(store.name, name) : value.bind(store), enumerable: true };
}

function refusal(store: string, method: string): () => never {
  return () => {
    throw new FatalStreamsError(
      'GLOBAL_STORE_READ_ONLY',
      `${method}() was called on a global store, which processors may only read; write to the topic of the store instead`,
      { store },
    );
  };
}
