import { int32, RecordContext, silentLogger, string, systemClock, type TaskId } from '@millrace/core';
import type { Admin, BatchAppender } from '@millrace/client';
import {
  joinStore,
  keyValueStore,
  memoryEngine,
  type SessionStore,
  sessionStore,
  type StateStore,
  type StoreBuilder,
  type TimestampedKeyValueStore,
  timestampedKeyValueStore,
  type TimestampedWindowStore,
  timestampedWindowStore,
  type VersionedKeyValueStore,
  versionedKeyValueStore,
} from '@millrace/state';
import type { TopologyPlan } from '@millrace/topology';
import { afterEach, describe, expect, it } from 'vitest';
import type { AppState } from '../app/app-state.ts';
import { TaskState } from '../task-state/task-state.ts';
import { type LocalState, LocalStates } from './local-states.ts';
import { LocalStoreSource } from './local-store-source.ts';
import { StoreNotHereError } from './store-not-here-error.ts';
import { StoreQueries } from './store-queries.ts';
import type { StatePhase } from './store-source.ts';

/** They belong to partition 0 and 1 of two. */
const [KEY_OF_0, KEY_OF_1] = ['a', 'd'] as const;

const builders = [
  timestampedKeyValueStore('counts', string(), int32()),
  timestampedWindowStore('windows', string(), int32(), { windowSizeMs: 10 }),
  sessionStore('sessions', string(), int32(), { retentionMs: 1000 }),
  versionedKeyValueStore('versions', string(), int32(), { historyRetentionMs: 1000 }),
  joinStore('joined', string(), string(), { retentionMs: 1000, spanMs: 10 }),
  keyValueStore('plain', string(), int32()),
] as unknown as StoreBuilder<StateStore>[];
const specs = builders.map((builder) => ({ builder, nodes: ['node'], sourceTopicAsChangelog: undefined }));

const plan = {
  subtopologies: [
    {
      id: 0,
      nodes: [],
      sourceTopics: ['input'],
      sourcePatterns: [],
      repartitionSources: [],
      repartitionSinks: [],
      sinkTopics: [],
      stores: specs,
      copartitionGroups: [],
    },
  ],
  globalStores: [],
} as unknown as TopologyPlan;

class Task implements LocalState {
  readonly id: TaskId;
  phase: StatePhase = 'running';
  readonly state: TaskState;

  private constructor(partition: number, state: TaskState) {
    this.id = { subtopology: 0, partition };
    this.state = state;
  }

  static async open(partition: number): Promise<Task> {
    const state = await TaskState.open({
      taskId: `0_${partition}`,
      partition,
      applicationId: 'app',
      stores: specs,
      nodes: [],
      engine: memoryEngine(),
      directory: `queries-${partition}`,
      cleanCacheBytes: 1024,
      cachingAllowed: true,
      recordContext: new RecordContext(),
      onExpiredRecord: () => undefined,
      logger: silentLogger,
      resolveTopic: (name) => name,
    });
    const appender = {
      topic: async (topic: string) => ({ topic, partitions: 2 }),
      endOffset: () => 1,
      append: () => undefined,
    } as unknown as BatchAppender;
    await state.connect(appender);
    return new Task(partition, state);
  }

  store<S>(name: string): S {
    return this.state.store(name) as unknown as S;
  }

  count(key: string, value: number, timestamp = 5): void {
    this.store<TimestampedKeyValueStore<string, number>>('counts').put(key, { value, timestamp });
  }

  async commit(): Promise<void> {
    this.state.prepareCommit();
    await this.state.completeCommit([]);
  }
}

const opened: Task[] = [];

async function stage(partitions: readonly number[], hosts: Parameters<LocalStates['follow']>[0]['hosts'] = () => []) {
  const tasks = await Promise.all(partitions.map((partition) => Task.open(partition)));
  opened.push(...tasks);
  const states = new LocalStates();
  states.follow({ states: () => tasks, hosts });
  const admin = { describeTopics: async () => new Map([['input', { partitions: 2 }]]) } as unknown as Admin;
  const source = new LocalStoreSource({ plan, applicationId: 'app', states, admin, clock: systemClock });
  let state: AppState = 'running';
  const queries = new StoreQueries({ sources: () => [source], state: () => state });
  const become = (now: AppState): void => {
    state = now;
  };
  return { tasks, queries, become };
}

afterEach(async () => {
  for (const task of opened.splice(0)) await task.state.close();
});

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

describe('a query', () => {
  it('shows what was committed, and what was not only when it is asked to', async () => {
    const { tasks, queries } = await stage([0, 1]);
    const [task] = tasks as [Task];
    const counts = queries.keyValueStore<string, number>('counts');
    task.count(KEY_OF_0, 1);
    expect(await counts.get(KEY_OF_0)).toBeUndefined();
    await task.commit();
    task.count(KEY_OF_0, 2);
    expect(await counts.get(KEY_OF_0)).toBe(1);
    expect(await all(counts.all())).toEqual([[KEY_OF_0, 1]]);
    const uncommitted = queries.keyValueStore<string, number>('counts', { isolation: 'read_uncommitted' });
    expect(await uncommitted.get(KEY_OF_0)).toBe(2);
    expect(await all(uncommitted.all())).toEqual([[KEY_OF_0, 2]]);
    task.state.rollback();
    expect(await uncommitted.get(KEY_OF_0)).toBe(1);
  });

  it('about a range gives the rows of each partition that is here, one after the other, and their number', async () => {
    const { tasks, queries } = await stage([1, 0]);
    for (const task of tasks) {
      for (const [n, key] of ['x', 'y', 'z'].entries()) task.count(`${key}${task.id.partition}`, n);
      await task.commit();
    }
    const counts = queries.keyValueStore<string, number>('counts');
    expect(await all(counts.range('x', 'z0'))).toEqual([
      ['x0', 0],
      ['y0', 1],
      ['z0', 2],
      ['x1', 0],
      ['y1', 1],
    ]);
    expect((await all(counts.reverseAll())).map(([key]) => key)).toEqual(['z0', 'y0', 'x0', 'z1', 'y1', 'x1']);
    expect(await all(counts.prefixScan(Buffer.from('y')))).toEqual([
      ['y0', 1],
      ['y1', 1],
    ]);
    expect(await counts.approximateNumEntries()).toBe(6);
    expect(await all(queries.keyValueStore('counts', { partition: 1 }).range('x', 'x9'))).toEqual([['x1', 0]]);
  });

  it('gives timestamps with the values if it is asked for them', async () => {
    const { tasks, queries } = await stage([0, 1]);
    const [task] = tasks as [Task];
    task.count(KEY_OF_0, 1, 77);
    await task.commit();
    expect(await queries.timestampedKeyValueStore('counts').get(KEY_OF_0)).toEqual({ value: 1, timestamp: 77 });
    task.store<{ put(key: string, value: number): void }>('plain').put(KEY_OF_0, 1);
    await task.commit();
    await expect(queries.timestampedKeyValueStore('plain').get(KEY_OF_0)).rejects.toMatchObject({ code: 'STORE_KIND' });
  });

  it('reads windows, sessions and versions', async () => {
    const { tasks, queries } = await stage([0, 1]);
    const [task] = tasks as [Task];
    task.store<TimestampedWindowStore<string, number>>('windows').put(KEY_OF_0, { value: 3, timestamp: 12 }, 10);
    task.store<SessionStore<string, number>>('sessions').put(KEY_OF_0, 1, 4, 9);
    const versions = task.store<VersionedKeyValueStore<string, number>>('versions');
    versions.put(KEY_OF_0, 1, 10);
    versions.put(KEY_OF_0, 2, 20);
    await task.commit();
    const windows = queries.windowStore<string, number>('windows');
    expect(await windows.fetch(KEY_OF_0, 10)).toBe(3);
    expect(await windows.fetch(KEY_OF_0, 20)).toBeUndefined();
    expect(await all(windows.fetchRange(KEY_OF_0, 0, 50))).toEqual([[10, 3]]);
    const window = { key: KEY_OF_0, window: { start: 10, end: 20 } };
    expect(await all(windows.all())).toEqual([[window, 3]]);
    expect(await all(windows.backwardFetchKeys(undefined, undefined, 0, 50))).toEqual([[window, 3]]);
    expect(await queries.timestampedWindowStore('windows').fetch(KEY_OF_0, 10)).toEqual({ value: 3, timestamp: 12 });
    const sessions = queries.sessionStore<string, number>('sessions');
    const session = { key: KEY_OF_0, window: { start: 1, end: 4 } };
    expect(await sessions.fetchSession(KEY_OF_0, 1, 4)).toBe(9);
    expect(await all(sessions.fetch(KEY_OF_0))).toEqual([[session, 9]]);
    expect(await all(sessions.all())).toEqual([[session, 9]]);
    expect(await all(sessions.backwardFindSessions(KEY_OF_0, 5, 9))).toEqual([]);
    const versioned = queries.versionedStore<string, number>('versions');
    expect(await versioned.get(KEY_OF_0)).toEqual({ value: 2, timestamp: 20 });
    expect(await versioned.get(KEY_OF_0, 15)).toEqual({ value: 1, timestamp: 10 });
    expect(await all(versioned.all())).toEqual([[KEY_OF_0, { value: 2, timestamp: 20 }]]);
  });

  it('about a key of another worker is refused with the name of that worker', async () => {
    const elsewhere = [{ endpoint: 'two:2', activeTasks: [{ subtopology: 0, partition: 1 }], standbyTasks: [] }];
    const { tasks, queries } = await stage([0], () => elsewhere);
    (tasks[0] as Task).count(KEY_OF_0, 1);
    await (tasks[0] as Task).commit();
    const counts = queries.keyValueStore<string, number>('counts');
    const refused = counts.get(KEY_OF_1);
    await expect(refused).rejects.toBeInstanceOf(StoreNotHereError);
    await expect(refused).rejects.toMatchObject({ code: 'STORE_NOT_HERE', owner: 'two:2', storePartition: 1 });
    expect(await counts.get(KEY_OF_0)).toBe(1);
    expect(await queries.metadataForKey('counts', KEY_OF_1)).toEqual({ partition: 1, owner: 'two:2', standbys: [] });
    expect(await queries.metadataForStore('counts')).toEqual([
      { endpoint: 'two:2', activePartitions: [1], standbyPartitions: [] },
    ]);
  });

  it('finds a key that another partitioner has placed, as long as its partition is here', async () => {
    const { tasks, queries } = await stage([0]);
    (tasks[0] as Task).count(KEY_OF_1, 7);
    await (tasks[0] as Task).commit();
    expect(await queries.keyValueStore('counts').get(KEY_OF_1)).toBe(7);
  });

  it('waits for no standby: it takes one only if what is stale will do', async () => {
    const { tasks, queries } = await stage([0, 1]);
    const [, standby] = tasks as [Task, Task];
    standby.count(KEY_OF_1, 4);
    await standby.commit();
    standby.phase = 'standby';
    await expect(queries.keyValueStore('counts').get(KEY_OF_1)).rejects.toMatchObject({ code: 'STORE_NOT_HERE' });
    const stale = queries.keyValueStore('counts', { allowStale: true, isolation: 'read_uncommitted' });
    expect(await stale.get(KEY_OF_1)).toBe(4);
    standby.phase = 'restoring';
    await expect(queries.keyValueStore('counts').get(KEY_OF_1)).rejects.toMatchObject({ code: 'STORE_NOT_READY' });
    await expect(all(queries.keyValueStore('counts').all())).rejects.toMatchObject({ code: 'STORE_NOT_READY' });
  });

  it('fails as one to be asked again when the state is closed under it', async () => {
    const { tasks, queries } = await stage([0, 1]);
    const [task] = tasks as [Task];
    for (let n = 0; n < 2000; n++) task.count(`key-${n}`, n);
    await task.commit();
    const rows = queries.keyValueStore('counts', { partition: 0 }).all()[Symbol.asyncIterator]();
    await rows.next();
    await task.state.close();
    const rest = async (): Promise<void> => {
      while ((await rows.next()).done !== true);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'STORE_NOT_READY' });
    await expect(queries.keyValueStore('counts').get(KEY_OF_0)).rejects.toMatchObject({ code: 'STORE_NOT_READY' });
  });

  it('is refused for stores that are not there, that cannot be asked, or that are of another kind', async () => {
    const { queries } = await stage([0, 1]);
    await expect(queries.keyValueStore('count').get('a')).rejects.toMatchObject({
      code: 'STORE_UNKNOWN',
      message: expect.stringContaining('counts, plain, sessions, versions, windows'),
    });
    await expect(queries.keyValueStore('joined').get('a')).rejects.toMatchObject({ code: 'STORE_NOT_QUERYABLE' });
    await expect(queries.windowStore('counts').fetch('a', 1)).rejects.toMatchObject({ code: 'STORE_KIND' });
    await expect(queries.keyValueStore('counts', { partition: 2 }).get('a')).rejects.toMatchObject({ code: 'STORE_PARTITION' });
  });

  it('is refused while the application does not run', async () => {
    const { queries, become } = await stage([0, 1]);
    for (const state of ['created', 'pending-shutdown', 'error'] as const) {
      become(state);
      await expect(queries.keyValueStore('counts').get('a')).rejects.toMatchObject({ code: 'STREAMS_NOT_RUNNING' });
    }
  });
});
