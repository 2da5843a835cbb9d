import type { StateStore, StoreBuilder } from '../contracts/state-store.ts';

/** Builds the same stores without changelog: for what a topic that the application does not write has already. */
export function withoutLogging<S extends StateStore>(builder: StoreBuilder<S>): StoreBuilder<S> {
  if (!builder.loggingEnabled) return builder;
  const { name, kind, inMemory, changelogConfig, historyRetentionMs, reader } = builder;
  const optional = { ...(historyRetentionMs !== undefined && { historyRetentionMs }), ...(reader !== undefined && { reader }) };
  return { name, kind, inMemory, changelogConfig, ...optional, loggingEnabled: false, build: () => builder.build() };
}
