import type { ClosingStore, StateStore } from '@millrace/state';

const NO_TIMES: ReadonlyMap<string, number> = new Map();

/** Up to which close time each store has emitted the results of its windows; stores that emit nothing are left out. */
export function emittedTimes(stores: Iterable<StateStore>): ReadonlyMap<string, number> {
  let times: Map<string, number> | undefined;
  for (const store of stores) {
    if (!isClosing(store) || store.emittedUntil < 0) continue;
    times ??= new Map();
    times.set(store.name, store.emittedUntil);
  }
  return times ?? NO_TIMES;
}

/** Tells the stores what has been emitted and committed, here or elsewhere; of several times the latest counts. */
export function resumeEmission(stores: Iterable<StateStore>, committed: Iterable<ReadonlyMap<string, number>>): void {
  const all = [...committed];
  for (const store of stores) {
    if (!isClosing(store)) continue;
    for (const times of all) store.resumeEmission(times.get(store.name) ?? -1);
  }
}

/** True when one of the stores emits the results of its windows once they have closed. */
export function emitsClosed(stores: Iterable<StateStore>): boolean {
  for (const store of stores) if (isClosing(store)) return true;
  return false;
}

function isClosing(store: StateStore): store is StateStore & ClosingStore<unknown, unknown> {
  return 'emittedUntil' in store;
}
