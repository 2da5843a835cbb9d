import { RetriableError, type Serde, string, topic } from '@millrace/core';
import { Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import type { DeserializationErrorHandler } from '../errors/deserialization-error-handler.ts';
import { AppendedRecords } from '../task-harness/appended-records.ts';
import { fetchedPartition } from '../task-harness/fetched-partition.ts';
import { taskComponents, taskSettings } from '../task-harness/task-surroundings.ts';
import { StreamTask } from './stream-task.ts';

/** Needs a schema for what begins with `#`, from a registry that may be away. */
class RegisteredText implements Serde<string> {
  readonly name = 'registered';
  isAway = true;

  serialize(value: string): Uint8Array {
    return Buffer.from(value);
  }

  deserialize(bytes: Uint8Array): string {
    const text = Buffer.from(bytes).toString();
    if (text.startsWith('?')) throw new Error('no schema with this id');
    if (text.startsWith('#') && this.isAway) throw new RetriableError('REGISTRY_AWAY', 'the registry does not answer');
    return text;
  }
}

interface Rig {
  readonly task: StreamTask;
  readonly serde: RegisteredText;
  readonly appended: AppendedRecords;
  readonly asked: number[];
  readonly feed: (...values: string[]) => void;
}

async function running(): Promise<Rig> {
  const serde = new RegisteredText();
  const asked: number[] = [];
  const handler: DeserializationErrorHandler = {
    handle: ({ offset }) => {
      asked.push(offset);
      return { decide: 'continue' };
    },
  };
  const [subtopology] = new Topology()
    .addSource('in', topic('input', { key: string(), value: serde }))
    .addSink('out', topic('output', { key: string(), value: string() }), ['in'])
    .plan().subtopologies;
  if (subtopology === undefined) throw new Error('the topology is empty');
  const appended = new AppendedRecords({ output: 1 });
  const task = await StreamTask.open({
    id: { subtopology: 0, partition: 0 },
    subtopology,
    inputPartitions: [{ topic: 'input', partition: 0 }],
    settings: taskSettings,
    components: taskComponents({ onDeserializationError: handler }),
    directory: 'task',
    appender: appended,
    progress: { position: () => 0, bounds: () => ({ highWatermark: 0, lastStableOffset: 0 }) },
    cleanCacheBytes: 1 << 20,
  });
  await task.finishRestore();
  task.initializeInput([{ topic: 'input', partition: 0, offset: 0, metadata: '' }]);
  const feed = (...values: string[]): void => {
    task.enqueue(fetchedPartition(values.map((value, timestamp) => ({ key: 'k', value, timestamp }))));
    task.process(100, Infinity);
  };
  return { task, serde, appended, asked, feed };
}

describe('a serde that cannot read a record yet', () => {
  it('fails the task with the place of the record, and without asking the handler, which would drop it', async () => {
    const { feed, asked } = await running();
    expect(() => feed('a', '#b')).toThrow(
      expect.objectContaining({
        name: 'RetriableError',
        code: 'DESERIALIZATION_NOT_YET',
        message: expect.stringMatching(/the value cannot be deserialised yet.*the registry does not answer/),
        topic: 'input',
        partition: 0,
        offset: 1,
        taskId: '0_0',
        node: 'in',
      }),
    );
    expect(asked).toEqual([]);
  });

  it('reads it when the task has gone back to its last commit and what was away is there again', async () => {
    const { task, serde, feed, asked, appended } = await running();
    expect(() => feed('a', '#b', 'c')).toThrow(RetriableError);
    task.rollback();
    serde.isAway = false;
    const before = appended.records.length;
    feed('a', '#b', 'c');
    expect(appended.records.slice(before).map(({ value }) => value)).toEqual(['a', '#b', 'c']);
    expect(asked).toEqual([]);
  });

  it('leaves it to the handler when reading it will never be possible', async () => {
    const { serde, feed, asked, appended } = await running();
    serde.isAway = false;
    feed('a', '?b', 'c');
    expect(appended.records.map(({ value }) => value)).toEqual(['a', 'c']);
    expect(asked).toEqual([1]);
  });
});
