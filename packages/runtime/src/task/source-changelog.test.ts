import { string, topic } from '@millrace/core';
import { timestampedKeyValueStore, type TimestampedKeyValueStore } from '@millrace/state';
import { Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { AppendedRecords } from '../task-harness/appended-records.ts';
import { fetchedPartition } from '../task-harness/fetched-partition.ts';
import { taskComponents, taskSettings } from '../task-harness/task-surroundings.ts';
import { StreamTask } from './stream-task.ts';

type Rows = TimestampedKeyValueStore<string, string>;

function keeper() {
  let rows: Rows;
  return {
    init: (context: { getStore<S>(name: string): S }) => {
      rows = context.getStore('rows');
    },
    process: (key: unknown, value: unknown, timestamp: number) => rows.put(key as string, { value: value as string, timestamp }),
  };
}

async function openTask(): Promise<StreamTask> {
  const topology = new Topology()
    .addSource('in', topic('input', { key: string(), value: string() }))
    .addNode('keep', keeper, ['in'])
    .addStateStore(timestampedKeyValueStore('rows', string(), string()), ['keep'])
    .useSourceTopicAsChangelog('rows', 'input');
  const [subtopology] = topology.plan().subtopologies;
  if (subtopology === undefined) throw new Error('the topology is empty');
  return StreamTask.open({
    id: { subtopology: 0, partition: 2 },
    subtopology,
    inputPartitions: [{ topic: 'input', partition: 2 }],
    settings: taskSettings,
    components: taskComponents(),
    directory: 'task',
    appender: new AppendedRecords({}),
    progress: { position: () => 0, bounds: () => ({ highWatermark: 0, lastStableOffset: 0 }) },
    cleanCacheBytes: 1 << 20,
  });
}

const at = { topic: 'input', partition: 2 };

describe('a task whose input is the changelog of its store', () => {
  it('restores nothing of what is still to be processed, although it was fetched with the rest', async () => {
    const task = await openTask();
    expect(task.changelogs()).toEqual([{ store: 'rows', ...at, offset: undefined, isInput: true }]);
    const records = ['1', '2', '3', '4'].map((value) => ({ key: 'k', value, timestamp: Number(value) }));
    expect(await task.applyRestored(fetchedPartition(records, { ...at, baseOffset: 10 }), 12)).toBe(2);
    await task.finishRestore();
    expect((task.state.store('rows') as Rows).get('k')).toEqual({ value: '2', timestamp: 2 });
    expect(task.changelogs()[0]?.offset).toBe(12);
  });

  it('writes no changelog, and keeps with its rows the offset that they stand for', async () => {
    const task = await openTask();
    await task.finishRestore();
    task.initializeInput([{ ...at, offset: 10, metadata: '' }]);
    task.enqueue(fetchedPartition([{ key: 'k', value: 'v', timestamp: 1 }], { ...at, baseOffset: 10 }));
    expect(task.process(1, Infinity)).toBe(1);
    task.prepareCommit();
    await task.completeCommit();
    expect(task.changelogs()[0]?.offset).toBe(11);
    expect(task.sourceOffset('rows', 2)).toBe(11);
  });
});
