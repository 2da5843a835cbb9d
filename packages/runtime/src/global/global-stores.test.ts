import { json, MetricsRegistry, seededRandom, silentLogger, string, systemClock, topic } from '@millrace/core';
import { keyValueStore, memoryEngine, type KeyValueStore, timestampedKeyValueStore } from '@millrace/state';
import { Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import type { StreamsComponents } from '../components.ts';
import { logAndContinueDeserialization } from '../errors/deserialization-error-handler.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';
import { GlobalStores } from './global-stores.ts';
import { globalSubtopology } from './global-subtopology.ts';
import { readOnlyStores } from './read-only-stores.ts';
import { ScriptedTopics } from './scripted-topics.ts';
import { withGlobalStores } from './with-global-stores.ts';

/** `names` is loaded as it stands in its topic; `lengths` by a processor that keeps twice the number in the record. */
function createTopology(): Topology {
  return new Topology()
    .addGlobalStoreSpec({
      builder: timestampedKeyValueStore('names', string(), string(), { logging: false }),
      source: {
        kind: 'source',
        name: 'names-source',
        topics: ['names'],
        keySerde: string(),
        valueSerde: string(),
        timestampExtractor: undefined,
        offsetReset: undefined,
      },
      processor: {
        kind: 'processor',
        name: 'names-keeper',
        supplier: () => {
          let store: KeyValueStore<unknown, unknown>;
          return {
            init: (context) => {
              store = context.getStore('names');
            },
            process: (key, value, timestamp) => store.put(key, { value, timestamp }),
          };
        },
        parents: ['names-source'],
      },
      reprocessOnRestore: false,
    })
    .addGlobalStore(
      keyValueStore('doubles', string(), json<number>(), { logging: false }),
      { name: 'numbers-source', topic: topic('numbers', { key: string(), value: json<number>() }) },
      {
        name: 'numbers-keeper',
        supplier: () => {
          let store: KeyValueStore<string, number>;
          return {
            init: (context) => {
              store = context.getStateStore('doubles');
            },
            process: ({ key, value }) => store.put(key, value * 2),
          };
        },
      },
    );
}

function stage(partitions: Readonly<Record<string, number>> = { names: 2, numbers: 1 }) {
  const topics = new ScriptedTopics(partitions);
  const told: string[] = [];
  const components: StreamsComponents = {
    client: topics.client,
    engine: memoryEngine(),
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    restoreListener: {
      onRestoreStart: ({ store, partition, endOffset }) => told.push(`start ${store}-${partition} to ${endOffset}`),
      onRestoreEnd: ({ store, partition, restoredRecords }) => told.push(`end ${store}-${partition}: ${restoredRecords}`),
    },
  };
  const plan = createTopology().plan();
  const settings = resolveSettings({ applicationId: 'app' });
  const options = { plan, settings, components, directory: 'global' };
  const subtopology = globalSubtopology(plan);
  if (subtopology === undefined) throw new Error('the topology has global stores');
  const load = (more: Partial<StreamsComponents> = {}) =>
    GlobalStores.load(
      { ...options, components: { ...components, ...more }, subtopology, specs: plan.globalStores },
      new AbortController().signal,
    );
  return { topics, told, options, load };
}

const rows = (stores: GlobalStores, name: string) => stores.stores.get(name) as KeyValueStore<string, unknown> | undefined;

describe('GlobalStores', () => {
  it('loads all partitions up to their ends, one store as it is, the other through its processor', async () => {
    const { topics, told, load } = stage();
    topics.append('names', 0, { key: 'a', value: 'Ann', timestamp: 5 }, { key: 'b', value: 'Bob' }, { key: 'b' });
    topics.append('names', 1, { key: 'c', value: 'Cid', timestamp: 7 }, { value: 'no key' });
    topics.append('numbers', 0, { key: 'n', value: '21' });
    const stores = await load();
    expect(rows(stores, 'names')?.get('a')).toEqual({ value: 'Ann', timestamp: 5 });
    expect(rows(stores, 'names')?.get('b')).toBeUndefined();
    expect(rows(stores, 'names')?.get('c')).toEqual({ value: 'Cid', timestamp: 7 });
    expect(rows(stores, 'doubles')?.get('n')).toBe(42);
    expect(told).toEqual([
      'start names-0 to 3',
      'start names-1 to 2',
      'end names-0: 3',
      'end names-1: 1',
      'start doubles-0 to 1',
      'end doubles-0: 1',
    ]);
    expect(topics.fetcherOptions).toMatchObject([{ lane: 'global', isolation: 'read_uncommitted' }]);
    await stores.close();
    expect(topics.openFetchers).toBe(0);
  });

  it('asks the deserialisation handler only where a processor runs', async () => {
    const { topics, load } = stage();
    topics.append('numbers', 0, { key: 'n', value: 'no JSON' }, { key: 'm', value: '1' });
    await expect(load()).rejects.toMatchObject({ code: 'DESERIALIZATION_FAILED', topic: 'numbers', offset: 0 });
    expect(topics.openFetchers).toBe(0);
    const stores = await load({ onDeserializationError: logAndContinueDeserialization(silentLogger) });
    expect([rows(stores, 'doubles')?.get('n'), rows(stores, 'doubles')?.get('m')]).toEqual([undefined, 2]);
    await stores.close();
  });

  it('fails when the topic of a store does not exist', async () => {
    const { load } = stage({ names: 1 });
    await expect(load()).rejects.toMatchObject({ name: 'TopologyError', code: 'SOURCE_TOPIC_MISSING', topic: 'numbers' });
  });
});

describe('readOnlyStores', () => {
  it('lets a store be read, and refuses every way to change it', async () => {
    const { topics, load } = stage();
    topics.append('names', 0, { key: 'a', value: 'Ann', timestamp: 5 });
    const stores = await load();
    const view = readOnlyStores(stores.stores).get('names') as KeyValueStore<string, unknown>;
    expect(view.name).toBe('names');
    expect(view.get('a')).toEqual({ value: 'Ann', timestamp: 5 });
    const all: unknown[] = [];
    for await (const row of view.all()) all.push(row);
    expect(all).toEqual([['a', { value: 'Ann', timestamp: 5 }]]);
    const writes = [() => view.put('a', undefined), () => view.delete('a'), () => view.putAll([]), () => view.close()];
    for (const write of writes) expect(write).toThrow(expect.objectContaining({ code: 'GLOBAL_STORE_READ_ONLY' }));
    await stores.close();
  });
});

describe('withGlobalStores', () => {
  it('begins the work when the stores are complete, keeps them up beside it, and ends with it', async () => {
    const { topics, options } = stage();
    topics.append('names', 0, { key: 'a', value: 'Ann', timestamp: 1 });
    await withGlobalStores(
      options,
      async (stores) => {
        const names = stores.get('names') as KeyValueStore<string, unknown>;
        expect(names.get('a')).toEqual({ value: 'Ann', timestamp: 1 });
        topics.append('names', 1, { key: 'b', value: 'Bob', timestamp: 2 });
        await expect.poll(() => names.get('b')).toEqual({ value: 'Bob', timestamp: 2 });
      },
      new AbortController().signal,
    );
    expect(topics.openFetchers).toBe(0);
  });

  it('stops the work when a topic cannot be followed any more, and fails with that', async () => {
    const { topics, options } = stage();
    const work = withGlobalStores(
      options,
      (_stores, signal) => {
        const reason = 'offset-out-of-range';
        topics.fail({ topic: 'names', partition: 0, position: 3, reason, error: new Error('gone') });
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      },
      new AbortController().signal,
    );
    await expect(work).rejects.toMatchObject({ code: 'GLOBAL_TOPIC_TRUNCATED', topic: 'names', offset: 3 });
  });

  it('passes on what the work fails with, and does nothing more once it was told to stop', async () => {
    const { options, topics } = stage();
    const stop = new AbortController();
    const failing = withGlobalStores(options, () => Promise.reject(new Error('broken')), stop.signal);
    await expect(failing).rejects.toThrow('broken');
    stop.abort();
    let hasWorked = false;
    const work = async () => {
      hasWorked = true;
    };
    await withGlobalStores(options, work, stop.signal);
    expect([hasWorked, topics.openFetchers]).toEqual([false, 0]);
  });

  it('does the work at once when the topology has no global stores', async () => {
    const { options, topics } = stage();
    const plan = { ...options.plan, globalStores: [] };
    await withGlobalStores({ ...options, plan }, async (stores) => expect(stores.size).toBe(0), new AbortController().signal);
    expect(topics.fetcherOptions).toEqual([]);
  });
});
