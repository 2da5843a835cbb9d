import { type Clock, RetriableError, TaskCorruptedError } from '@millrace/core';
import type { Admin } from '@millrace/client';
import type { StateStore } from '@millrace/state';
import type { TopologyPlan } from '@millrace/topology';
import { partitionForKey } from '@millrace/wire';
import { answerQuery } from './answer-query.ts';
import { type KnownStore, KnownStores } from './known-stores.ts';
import type { LocalState, LocalStates } from './local-states.ts';
import type { StoreHost, StorePlace, StoreRead, StoreSource } from './store-source.ts';
import { TaskCounts } from './task-counts.ts';

/** After so many rows the others on this loop get their turn. */
const ROWS_PER_PAGE = 512;

export interface LocalStoreSourceOptions {
  readonly plan: TopologyPlan;
  readonly applicationId: string;
  readonly states: LocalStates;
  readonly admin: Admin;
  readonly clock: Clock;
}

interface OpenStore {
  readonly store: StateStore;
  readonly close: () => void;
}

/** The stores of the loop that this runs on. */
export class LocalStoreSource implements StoreSource {
  readonly #options: LocalStoreSourceOptions;
  readonly #stores: KnownStores;
  readonly #counts: TaskCounts;

  constructor(options: LocalStoreSourceOptions) {
    this.#options = options;
    this.#stores = new KnownStores(options.plan, options.applicationId);
    this.#counts = new TaskCounts(options);
  }

  async locate(store: string, asked?: { readonly key: unknown }): Promise<StorePlace> {
    const { states } = this.#options;
    const known = this.#stores.get(store);
    const { kind, subtopology } = known;
    if (subtopology === undefined) {
      const phase = states.globalStore(store) === undefined ? 'restoring' : 'running';
      return { kind, isGlobal: true, partitions: 1, keyPartition: undefined, here: [{ partition: 0, phase }], hosts: [] };
    }
    const partitions = await this.#counts.of(subtopology);
    return {
      kind,
      isGlobal: false,
      partitions,
      keyPartition: asked === undefined ? undefined : partitionOf(known, asked.key, partitions),
      here: states.ofSubtopology(subtopology).map(({ id, phase }) => ({ partition: id.partition, phase })),
      hosts: states.hosts.flatMap((host) => storeHost(host, subtopology)),
    };
  }

  async *read(request: StoreRead): AsyncGenerator<readonly unknown[], void> {
    const { clock } = this.#options;
    let release = (): void => undefined;
    try {
      const { store, close } = await this.#open(request);
      release = close;
      let page: unknown[] = [];
      for await (const row of answerQuery(store, request.query)) {
        page.push(row);
        if (page.length < ROWS_PER_PAGE) continue;
        yield page;
        page = [];
        await clock.sleep(0);
      }
      if (page.length > 0) yield page;
    } catch (error) {
      throw error instanceof TaskCorruptedError ? movedAway(request, error) : error;
    } finally {
      release();
    }
  }

  async #open(request: StoreRead): Promise<OpenStore> {
    const { store, partition, isolation } = request;
    // Global stores are not written by transactions of the application: what they hold was committed by others.
    if (partition === undefined) return borrowed(request, this.#options.states.globalStore(store));
    const found = this.#stateOf(request);
    if (isolation === 'read_uncommitted' && found?.phase === 'running') return borrowed(request, found.state.store(store));
    const reader = await found?.state.openReader(store);
    if (reader === undefined) throw movedAway(request);
    return { store: reader, close: () => reader.close() };
  }

  #stateOf({ store, partition, allowStale }: StoreRead): LocalState | undefined {
    const { subtopology } = this.#stores.get(store);
    if (subtopology === undefined) return undefined;
    const found = this.#options.states.ofSubtopology(subtopology).find(({ id }) => id.partition === partition);
    return found?.phase === 'running' || allowStale ? found : undefined;
  }
}

/** A store as its task has it open, and goes on with it. */
function borrowed(request: StoreRead, store: StateStore | undefined): OpenStore {
  if (store === undefined) throw movedAway(request);
  return { store, close: () => undefined };
}

/** Where the default partitioner places a key. */
function partitionOf({ reader, topic }: KnownStore, key: unknown, partitions: number): number | undefined {
  if (partitions === 0) return undefined;
  const bytes = reader.keyBytes(key, topic);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return partitionForKey(buffer, 0, buffer.length, partitions);
}

function storeHost({ endpoint, activeTasks, standbyTasks }: LocalStates['hosts'][number], subtopology: number): StoreHost[] {
  const partitionsOf = (tasks: typeof activeTasks): number[] =>
    tasks.filter((id) => id.subtopology === subtopology).map(({ partition }) => partition);
  const host = { endpoint, activePartitions: partitionsOf(activeTasks), standbyPartitions: partitionsOf(standbyTasks) };
  return host.activePartitions.length + host.standbyPartitions.length === 0 ? [] : [host];
}

function movedAway({ store, partition }: StoreRead, cause?: unknown): RetriableError {
  const what = partition === undefined ? 'the global store' : `partition ${partition} of the store`;
  return new RetriableError('STORE_NOT_READY', `${what} was closed while it was asked: it moves, or is opened anew; ask again`, {
    store,
    cause,
  });
}
