import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, RetriableError, silentLogger, string, systemClock, TaskCorruptedError, topic } from '@millrace/core';
import {
  keyValueStore,
  type KeyValueStore,
  memoryEngine,
  type StateDatabase,
  type StateEngine,
  type WriteBatch,
} from '@millrace/state';
import { Topology } from '@millrace/topology';
import { AppendedRecords } from '../task-harness/appended-records.ts';
import { taskComponents, taskSettings } from '../task-harness/task-surroundings.ts';
import { StreamTask } from '../task/stream-task.ts';
import type { TaskParts, TaskPartsOptions } from '../task/task-parts.ts';
import { fetchedPartition } from '../task-harness/fetched-partition.ts';
import { openStandbyTask } from './open-standby-task.ts';
import { ScriptedChangelogs } from './scripted-changelogs.ts';
import { StandbyUpdater } from './standby-updater.ts';
import type { StandbyUpdateListener } from './standby-update-listener.ts';

const CHANGELOG = 'app-texts-changelog';
const text = { key: string(), value: string() };
const id = { subtopology: 0, partition: 0 };

/** `input` → a processor with the store `texts`, which is in memory if that is asked for. */
function counting(inMemory: boolean): Topology {
  return new Topology()
    .addSource('in', topic('input', text))
    .addProcessor('count', () => ({ process: () => undefined }), ['in'])
    .addStateStore(keyValueStore('texts', string(), string(), { inMemory }), ['count']);
}

/** Goes fifty times as fast as the system's: pauses before retries are not worth waiting for. */
const fastClock: Clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs(),
  monotonicMs: () => systemClock.monotonicMs() * 50,
  sleep: (delayMs, signal) => systemClock.sleep(delayMs / 50, signal),
  setTimer: (delayMs, callback) => systemClock.setTimer(delayMs / 50, callback),
};

/** Nothing ever becomes due: what is applied is not written until somebody asks for it. */
const stoppedClock: Clock = { ...fastClock, monotonicMs: () => 0 };

class Stage {
  readonly kafka = new ScriptedChangelogs();
  readonly events: string[] = [];
  readonly quarantined: string[] = [];
  /** Called when a database is to be opened. */
  onOpen: () => void = () => undefined;
  /** Makes writes fail. */
  writeFailure: Error | undefined;
  failedWrites = 0;
  readonly options: TaskPartsOptions;
  readonly updater: StandbyUpdater;
  opened = 0;

  /** @param changelog the input that the store has for a changelog, if it has no own */
  constructor(topology = counting(false), changelog?: string, clock = fastClock) {
    const [subtopology] = topology.plan().subtopologies;
    if (subtopology === undefined) throw new Error('the topology is empty');
    const stores = subtopology.stores.map((store) => ({ ...store, sourceTopicAsChangelog: changelog }));
    this.options = {
      id,
      subtopology: { ...subtopology, stores },
      directory: 'task',
      cleanCacheBytes: 1 << 20,
      settings: taskSettings,
      components: taskComponents({ engine: this.#engine() }),
    };
    this.updater = new StandbyUpdater({
      client: this.kafka.client,
      clock,
      logger: silentLogger,
      listener: this.#listener(),
      groupId: 'app',
      isolation: 'read_committed',
      openTask: (_id, databases) => openStandbyTask(this.options, databases),
      quarantine: async (taskId) => void this.quarantined.push(taskId),
    });
  }

  /** A memory engine whose databases can be made to fail. */
  #engine(): StateEngine {
    const inner = memoryEngine();
    return {
      ...inner,
      name: 'memory',
      persistent: false,
      quarantine: async () => undefined,
      destroy: async () => undefined,
      open: async (options) => {
        this.onOpen();
        this.opened++;
        return this.#failing(await inner.open(options));
      },
    };
  }

  #failing(database: StateDatabase): StateDatabase {
    return {
      get: (key) => database.get(key),
      entries: (range, options) => database.entries(range, options),
      close: () => database.close(),
      write: (batch) => this.#write(database, batch),
    };
  }

  async #write(database: StateDatabase, batch: WriteBatch): Promise<void> {
    if (this.writeFailure === undefined) return database.write(batch);
    this.failedWrites++;
    throw this.writeFailure;
  }

  #listener(): StandbyUpdateListener {
    return {
      onUpdateStart: ({ store, startOffset, endOffset }) => this.events.push(`start ${store} ${startOffset}/${endOffset}`),
      onBatchLoaded: ({ store, currentOffset, endOffset }, records) =>
        this.events.push(`${records} of ${store} ${currentOffset}/${endOffset}`),
      onUpdateSuspended: ({ store, currentOffset }, reason) => this.events.push(`${reason} ${store} ${currentOffset}`),
    };
  }

  /** Waits until the changelog has been applied up to an offset. */
  async applied(offset: number): Promise<void> {
    await expect.poll(() => [...this.updater.offsetSums()], { interval: 2 }).toEqual([['0_0', offset]]);
  }

  /** The active task over the state of a standby, or over a new one. */
  activate(parts: TaskParts | undefined): Promise<StreamTask> {
    const inputs = { inputPartitions: [], appender: new AppendedRecords({ [CHANGELOG]: 1 }) };
    const progress = { position: () => 0, bounds: () => ({ highWatermark: 0, lastStableOffset: 0 }) };
    return StreamTask.open({ ...this.options, ...inputs, progress }, parts);
  }
}

const texts = (task: StreamTask): KeyValueStore<string, string> =>
  task.state.store('texts') as unknown as KeyValueStore<string, string>;

describe.each([
  ['kept by the engine', false],
  ['in memory', true],
])('StandbyUpdater, with a store %s', (_name, inMemory) => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage(counting(inMemory));
  });
  afterEach(() => stage.updater.close());

  it('applies the changelog as it grows, and tells', async () => {
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' }, { key: 'b', value: '2' });
    await stage.updater.add(id);
    await stage.applied(2);
    stage.kafka.append(CHANGELOG, { key: 'a', value: '3' });
    await stage.applied(3);
    expect(stage.events).toEqual(['start texts 0/2', '2 of texts 2/2', '1 of texts 3/3']);
  });

  it('F41: hands the state over to the active task, which restores only what comes after', async () => {
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' }, { key: 'b', value: '2' });
    await stage.updater.add(id);
    await stage.applied(2);
    const task = await stage.activate(await stage.updater.promote('0_0'));
    expect(stage.events.at(-1)).toBe('promoted texts 2');
    expect(task.changelogs()).toMatchObject([{ topic: CHANGELOG, offset: 2 }]);
    await task.finishRestore();
    expect([texts(task).get('a'), texts(task).get('b')]).toEqual(['1', '2']);
    expect(stage.updater.taskIds).toEqual([]);
    await task.close({ clean: true });
  });

  it('goes on with the databases of an active task that becomes a standby', async () => {
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' });
    await stage.updater.add(id);
    await stage.applied(1);
    const task = await stage.activate(await stage.updater.promote('0_0'));
    await task.finishRestore();
    await stage.updater.add(id, await task.detach());
    stage.kafka.append(CHANGELOG, { key: 'b', value: '2' });
    await stage.applied(2);
    expect(stage.events.slice(-2)).toEqual(['start texts 1/2', '1 of texts 2/2']);
    const again = await stage.activate(await stage.updater.promote('0_0'));
    await again.finishRestore();
    expect([texts(again).get('a'), texts(again).get('b')]).toEqual(['1', '2']);
    await again.close({ clean: true });
  });
});

describe('StandbyUpdater', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });
  afterEach(() => stage.updater.close());

  it('says when a task has moved away, and closes its state', async () => {
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' });
    await stage.updater.add(id);
    await stage.applied(1);
    await stage.updater.drop('0_0');
    expect(stage.events.at(-1)).toBe('migrated texts 1');
    // The engine would refuse a directory that is still open.
    const task = await stage.activate(undefined);
    await task.close({ clean: true });
  });

  it('pauses while active tasks restore', async () => {
    await stage.updater.add(id);
    await expect.poll(() => stage.kafka.isFetched(CHANGELOG)).toBe(true);
    stage.updater.pause();
    expect(stage.kafka.isFetched(CHANGELOG)).toBe(false);
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' });
    stage.updater.resume();
    await stage.applied(1);
  });

  it('F18: wipes state that lies outside the changelog, and begins again', async () => {
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' }, { key: 'a', value: '2' });
    await stage.updater.add(id);
    await stage.applied(2);
    const error = new RetriableError('OFFSET_OUT_OF_RANGE', 'gone');
    stage.kafka.failures.push({ topic: CHANGELOG, partition: 0, position: 2, reason: 'offset-out-of-range', error });
    await expect.poll(() => stage.opened).toBe(2);
    await stage.applied(2);
    expect(stage.quarantined).toEqual(['0_0']);
    expect(stage.events.slice(-2)).toEqual(['start texts 0/2', '2 of texts 2/2']);
  });

  it('F16: puts damaged state aside and opens it anew, without harm to anybody else', async () => {
    let attempts = 0;
    stage.onOpen = () => {
      if (++attempts === 1) throw new TaskCorruptedError('STATE_CORRUPT', 'rotten', { taskId: '0_0' });
    };
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' });
    await stage.updater.add(id);
    await stage.applied(1);
    expect(stage.quarantined).toEqual(['0_0']);
  });

  it('begins anew after an active task that could not write what it had restored when it was to become a standby', async () => {
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' });
    await stage.updater.add(id);
    await stage.applied(1);
    const task = await stage.activate(await stage.updater.promote('0_0'));
    await task.applyRestored(fetchedPartition([{ key: 'b', value: '2' }], { topic: CHANGELOG, baseOffset: 1 }));
    stage.writeFailure = new TaskCorruptedError('STATE_DISK_FULL', 'no room', { taskId: '0_0' });
    await expect(task.detach()).rejects.toThrow('no room');
    stage.writeFailure = undefined;
    // The engine would refuse a directory that is still open.
    await stage.updater.add(id);
    await stage.applied(1);
  });

  it('F14: keeps state for which there is no room, and goes on when there is', async () => {
    await stage.updater.add(id);
    await stage.applied(0);
    stage.writeFailure = new TaskCorruptedError('STATE_DISK_FULL', 'no room', { taskId: '0_0' });
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' });
    // How often: its state is open and closed in turn, which one who looks now and then may never see.
    await expect.poll(() => stage.failedWrites).toBeGreaterThan(0);
    stage.writeFailure = undefined;
    await stage.applied(1);
    expect(stage.quarantined).toEqual([]);
  });

  it('hands over nothing when the state fails in the last moment', async () => {
    await stage.updater.close();
    stage = new Stage(counting(false), undefined, stoppedClock);
    stage.kafka.append(CHANGELOG, { key: 'a', value: '1' });
    await stage.updater.add(id);
    await stage.applied(1);
    stage.kafka.append(CHANGELOG, { key: 'a', value: '2' });
    await stage.applied(2);
    stage.writeFailure = new TaskCorruptedError('STATE_IO_FAILED', 'EIO', { taskId: '0_0' });
    expect(await stage.updater.promote('0_0')).toBeUndefined();
    expect(stage.quarantined).toEqual(['0_0']);
  });

  it('applies an input that serves as changelog only as far as its owner has committed', async () => {
    await stage.updater.close();
    stage = new Stage(counting(false), 'input');
    stage.kafka.append('input', { key: 'a', value: '1' }, { key: 'a', value: '2' }, { key: 'a', value: '3' });
    stage.kafka.committed.set('input', { topic: 'input', partition: 0, offset: 2, metadata: '' });
    await stage.updater.add(id);
    await stage.applied(2);
    expect(stage.kafka.isFetched('input')).toBe(false);
    const task = await stage.activate(await stage.updater.promote('0_0'));
    await task.finishRestore();
    expect(texts(task).get('a')).toBe('2');
    await task.close({ clean: true });
  });
});
