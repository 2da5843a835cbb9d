import type { StoreJson } from '../vector.ts';

/** A vector's materialization as options of an operator. */
export function materialized(store: string | StoreJson | undefined): Record<string, unknown> {
  if (store === undefined) return {};
  if (typeof store === 'string') return { store };
  const { name, caching, logging, retentionMs, inMemory } = store;
  return {
    ...(name === undefined ? {} : { store: name }),
    ...(caching === undefined ? {} : { caching }),
    ...(logging === undefined ? {} : { logging }),
    ...(retentionMs === undefined ? {} : { retention: retentionMs }),
    ...(inMemory === undefined ? {} : { inMemory }),
  };
}
