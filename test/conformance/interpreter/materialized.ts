import type { StoreJson } from '../vector.ts';

/** A vector's materialization as options of an operator. */
export function materialized(store: string | StoreJson | undefined): Record<string, unknown> {
  if (store === undefined) return {};
  if (typeof store === 'string') return { store };
  const { name, caching, logging, retentionMs, versionedMs, inMemory } = store;
  return {
    // Without a name too it is a materialization, which shows in generated names; the default says nothing else.
    caching: true,
    ...(name === undefined ? {} : { store: name }),
    ...(caching === undefined ? {} : { caching }),
    ...(logging === undefined ? {} : { logging }),
    ...(retentionMs === undefined ? {} : { retention: retentionMs }),
    ...(versionedMs === undefined ? {} : { versioned: versionedMs }),
    ...(inMemory === undefined ? {} : { inMemory }),
  };
}
