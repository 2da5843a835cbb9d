import { int32, RecordContext, silentLogger, string } from '@millrace/core';
import type { BatchAppender } from '@millrace/client';
import { keyValueStore, memoryEngine, type StateStore, type StoreBuilder } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { TaskState } from './task-state.ts';

/** State of a task with one store, and a producer that has had this much acknowledged for its changelog. */
async function stage(acknowledged: { endOffset: number }): Promise<TaskState> {
  const builder = keyValueStore('counts', string(), int32()) as unknown as StoreBuilder<StateStore>;
  const state = await TaskState.open({
    taskId: '0_0',
    partition: 0,
    applicationId: 'app',
    stores: [{ builder, nodes: ['count'], sourceTopicAsChangelog: undefined }],
    nodes: [],
    engine: memoryEngine(),
    directory: 'task-state',
    cleanCacheBytes: 0,
    cachingAllowed: false,
    recordContext: new RecordContext(),
    onExpiredRecord: () => undefined,
    logger: silentLogger,
    resolveTopic: (name) => name,
  });
  await state.connect({
    topic: async (topic: string) => ({ topic, partitions: 1 }),
    endOffset: () => acknowledged.endOffset,
  } as unknown as BatchAppender);
  return state;
}

const offsetOf = (state: TaskState): number | undefined => state.changelogs()[0]?.offset;

describe('TaskState', () => {
  it('keeps the changelog offset up to which its rows count, with each commit', async () => {
    const acknowledged = { endOffset: -1 };
    const state = await stage(acknowledged);
    await state.completeCommit([]);
    expect(offsetOf(state)).toBeUndefined();
    acknowledged.endOffset = 42;
    await state.completeCommit([]);
    expect(offsetOf(state)).toBe(42);
    await state.close();
  });

  it('does not go back to what the producer wrote before the task was elsewhere', async () => {
    const acknowledged = { endOffset: 42 };
    const state = await stage(acknowledged);
    await state.completeCommit([]);
    acknowledged.endOffset = 19;
    await state.completeCommit([]);
    expect(offsetOf(state)).toBe(42);
    await state.close();
  });
});
