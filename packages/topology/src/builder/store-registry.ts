import { TopologyError } from '@millrace/core';
import type { StateStore, StoreBuilder } from '@millrace/state';
import type { StoreSpec } from '../plan/specs.ts';

interface StoreEntry {
  readonly builder: StoreBuilder;
  readonly nodes: string[];
  sourceTopicAsChangelog: string | undefined;
}

/** The stores of a topology, global ones apart, and the processors connected to each. */
export class StoreRegistry {
  readonly #stores = new Map<string, StoreEntry>();
  readonly #global = new Set<string>();

  /** The same builder may come again: that adds nothing. */
  add(builder: StoreBuilder<StateStore>): void {
    if (this.#stores.get(builder.name)?.builder === builder) return;
    this.assertFree(builder.name);
    this.#stores.set(builder.name, { builder, nodes: [], sourceTopicAsChangelog: undefined });
  }

  addGlobal(name: string): void {
    this.assertFree(name);
    this.#global.add(name);
  }

  connect(store: string, node: string): void {
    if (this.#global.has(store)) {
      throw new TopologyError(
        'GLOBAL_STORE_CONNECTED',
        `store ${store} is global: every processor may read it, do not connect it`,
        { node, store },
      );
    }
    const entry = this.#entry(store, node);
    if (!entry.nodes.includes(node)) entry.nodes.push(node);
  }

  useSourceAsChangelog(store: string, topic: string): void {
    this.#entry(store, undefined).sourceTopicAsChangelog = topic;
  }

  get all(): StoreSpec[] {
    return [...this.#stores.values()].map((entry) => ({ ...entry, nodes: [...entry.nodes] }));
  }

  #entry(store: string, node: string | undefined): StoreEntry {
    const entry = this.#stores.get(store);
    if (entry !== undefined) return entry;
    throw new TopologyError('UNKNOWN_STORE', `store ${store} is not added yet; add it with addStateStore first`, { node, store });
  }

  assertFree(name: string): void {
    if (!this.#stores.has(name) && !this.#global.has(name)) return;
    throw new TopologyError(
      'STORE_EXISTS',
      `the topology has another store named ${name} already; give one of the two another name`,
      {
        store: name,
      },
    );
  }
}
