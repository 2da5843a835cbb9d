import type { StateStore, StoreBuilder } from '@millrace/state';

/** The same stores, without changelog: what they hold is in a topic already. */
export function withoutLogging<S extends StateStore>(builder: StoreBuilder<S>): StoreBuilder<S> {
  if (!builder.loggingEnabled) return builder;
  const { name, kind, inMemory, changelogConfig } = builder;
  return { name, kind, inMemory, changelogConfig, loggingEnabled: false, build: () => builder.build() };
}
