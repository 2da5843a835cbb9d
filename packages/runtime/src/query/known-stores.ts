import { SettingsError } from '@millrace/core';
import type { StoreBuilder, StoreReaderBuilder } from '@millrace/state';
import type { TopologyPlan } from '@millrace/topology';
import { topicResolver } from '../task/topic-resolver.ts';
import { changelogTopicName } from '../topics/topic-names.ts';
import { familyOf } from './store-query.ts';

/** A store that can be queried. */
export interface KnownStore {
  readonly kind: string;
  readonly reader: StoreReaderBuilder;
  /** `undefined` for a global store. */
  readonly subtopology: number | undefined;
  /** Name on the broker of what the serdes of the store take to be its topic; of no meaning for a global store. */
  readonly topic: string;
}

/** The stores of a topology by name, as far as they can be queried. */
export class KnownStores {
  readonly #known = new Map<string, KnownStore>();
  readonly #others = new Set<string>();

  constructor({ subtopologies, globalStores }: TopologyPlan, applicationId: string) {
    for (const subtopology of subtopologies) {
      const resolve = topicResolver(subtopology, applicationId);
      for (const { builder, sourceTopicAsChangelog: source } of subtopology.stores)
        this.#add(
          builder,
          subtopology.id,
          source === undefined ? changelogTopicName(applicationId, builder.name) : resolve(source),
        );
    }
    for (const { builder } of globalStores) this.#add(builder, undefined, '');
  }

  #add({ name, kind, reader }: StoreBuilder, subtopology: number | undefined, topic: string): void {
    if (reader === undefined || familyOf(kind) === undefined) this.#others.add(name);
    else this.#known.set(name, { kind, reader, subtopology, topic });
  }

  /** @throws SettingsError `STORE_UNKNOWN`, `STORE_NOT_QUERYABLE` */
  get(name: string): KnownStore {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#others.has(name)) {
      throw new SettingsError('STORE_NOT_QUERYABLE', 'the store serves an operator only, it cannot be queried', { store: name });
    }
    const names = [...this.#known.keys()].sort().join(', ');
    throw new SettingsError(
      'STORE_UNKNOWN',
      `the topology has no store of this name; it has ${names === '' ? 'none that can be queried' : names}`,
      { store: name },
    );
  }
}
