import type { StateStore, StoreBuilder } from '../contracts/state-store.ts';

/** Builds the same stores without changelog: for what a topic that the application does not write has already. */
export function withoutLogging<S extends StateStore>(builder: StoreBuilder<S>): StoreBuilder<S> {
  if (!builder.loggingEnabled) return builder;
  const { name, kind, inMemory, changelogConfig, historyRetentionMs } = builder;
  const history = historyRetentionMs === undefined ? {} : { historyRetentionMs };
  return { name, kind, inMemory, changelogConfig, ...history, loggingEnabled: false, build: () => builder.build() };
}
