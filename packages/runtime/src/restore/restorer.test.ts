import { describe, expect, it } from 'vitest';
import { CancelledError, RetriableError, silentLogger, topicPartitionKey } from '@millrace/core';
import type { CommittedOffset, FetchedPartition, FetchFailure, KafkaClient } from '@millrace/client';
import type { StreamTask } from '../task/stream-task.ts';
import type { RestoreListener, RestoreProgress } from './restore-listener.ts';
import { Restorer } from './restorer.ts';

interface Changelog {
  readonly store: string;
  /** Where the local state is; undefined when there is none. */
  readonly offset?: number;
  readonly isInput?: boolean;
}

/** Changelogs on a scripted broker, tasks that take what is restored, and a listener that writes everything down. */
class Stage {
  readonly calls: string[] = [];
  /** First offset and end by changelog. */
  readonly bounds = new Map<string, readonly [start: number, end: number]>();
  readonly committed = new Map<string, CommittedOffset>();
  /** What the fetcher hands out, in order. */
  readonly arrivals: FetchedPartition[] = [];
  readonly failures: FetchFailure[] = [];
  readonly stop = new AbortController();
  /** Called when the fetcher has nothing to hand out. */
  onIdle: () => void = () => this.stop.abort(new CancelledError());
  listener: RestoreListener = {
    onRestoreStart: (progress) => this.#tell('start', progress),
    onBatchRestored: (progress, records) => this.#tell(`batch of ${records}`, progress),
    onRestoreEnd: (progress) => this.#tell('end', progress),
    onRestoreSuspended: (progress) => this.#tell('suspended', progress),
  };

  readonly #client = {
    offsets: {
      list: async (partitions: readonly { topic: string; partition: number }[], which: 'earliest' | 'latest') =>
        new Map(
          partitions.map(({ topic, partition }) => {
            const [start, end] = this.bounds.get(topic) ?? [0, 0];
            return [topicPartitionKey(topic, partition), which === 'latest' ? end : start];
          }),
        ),
    },
    createFetcher: ({ isolation }: { isolation: string }) => ({
      assign: (topic: string, _partition: number, offset: number) =>
        this.calls.push(`fetch ${topic} from ${offset} ${isolation}`),
      unassign: (topic: string) => this.calls.push(`done with ${topic}`),
      take: () => this.arrivals.shift(),
      takeFailures: () => this.failures.splice(0),
      wait: async () => this.onIdle(),
      close: async () => void this.calls.push('close fetcher'),
    }),
  } as unknown as KafkaClient;

  #tell(what: string, { store, currentOffset, endOffset }: RestoreProgress): void {
    this.calls.push(`${what}: ${store} ${currentOffset}/${endOffset}`);
  }

  task(taskId: string, ...changelogs: Changelog[]): StreamTask {
    return {
      taskId,
      changelogs: () =>
        changelogs.map(({ store, offset, isInput = false }) => ({ store, topic: `${store}-log`, partition: 0, offset, isInput })),
      applyRestored: async ({ batches }: FetchedPartition) => batches.length,
      finishRestore: async () => void this.calls.push(`finish ${taskId}`),
    } as unknown as StreamTask;
  }

  /** `count` records arrive, behind which the position is `nextOffset`. */
  arrive(store: string, count: number, nextOffset: number): void {
    const batches = Array.from({ length: count });
    this.arrivals.push({ topic: `${store}-log`, partition: 0, batches, nextOffset } as unknown as FetchedPartition);
  }

  restore(...tasks: StreamTask[]): Promise<void> {
    const restorer = new Restorer({
      client: this.#client,
      logger: silentLogger,
      listener: this.listener,
      isolation: 'read_committed',
    });
    return restorer.restore(tasks, this.committed, ({ taskId }) => this.calls.push(`ready ${taskId}`), this.stop.signal);
  }
}

describe('Restorer', () => {
  it('reads committed records from the stored offset until the position reaches the high watermark of the beginning', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 10]);
    stage.arrive('a', 3, 7);
    // The rest are markers and aborted records: the position passes them without a record.
    stage.arrive('a', 0, 10);
    await stage.restore(stage.task('0_0', { store: 'a', offset: 4 }));
    expect(stage.calls).toEqual([
      'start: a 4/10',
      'fetch a-log from 4 read_committed',
      'batch of 3: a 7/10',
      'batch of 0: a 10/10',
      'done with a-log',
      'end: a 10/10',
      'finish 0_0',
      'ready 0_0',
      'close fetcher',
    ]);
  });

  it('begins at the first offset of the log when there is no local state', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [5, 6]);
    stage.arrive('a', 1, 6);
    await stage.restore(stage.task('0_0', { store: 'a' }));
    expect(stage.calls[1]).toBe('fetch a-log from 5 read_committed');
  });

  it('restores an input that serves as changelog only up to what was committed of it', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 10]);
    stage.bounds.set('b-log', [2, 10]);
    stage.committed.set('a-log-0', { topic: 'a-log', partition: 0, offset: 6, metadata: '' });
    stage.arrive('a', 6, 6);
    await stage.restore(stage.task('0_0', { store: 'a', isInput: true }, { store: 'b', isInput: true }));
    expect(stage.calls.filter((call) => call.includes('start') || call.includes('end'))).toEqual(['start: a 0/6', 'end: a 6/6']);
  });

  it('fetches nothing for tasks that are up to date or have no changelog', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 10]);
    await stage.restore(stage.task('0_0', { store: 'a', offset: 10 }), stage.task('0_1'));
    expect(stage.calls).toEqual(['finish 0_0', 'ready 0_0', 'finish 0_1', 'ready 0_1']);
  });

  it('makes each task ready as soon as its last changelog is restored, whatever the others do', async () => {
    const stage = new Stage();
    for (const store of ['a', 'b', 'c']) stage.bounds.set(`${store}-log`, [0, 2]);
    stage.arrive('a', 2, 2);
    stage.arrive('c', 2, 2);
    stage.arrive('b', 2, 2);
    await stage.restore(stage.task('0_0', { store: 'a' }, { store: 'b' }), stage.task('0_1', { store: 'c' }));
    expect(stage.calls.filter((call) => call.startsWith('ready'))).toEqual(['ready 0_1', 'ready 0_0']);
  });

  it.each([
    ['behind', 4, [5, 10]],
    ['ahead of', 11, [5, 10]],
  ] as const)('calls local state that lies %s the changelog corrupted', async (_where, offset, bounds) => {
    const stage = new Stage();
    stage.bounds.set('a-log', bounds);
    await expect(stage.restore(stage.task('0_0', { store: 'a', offset }))).rejects.toMatchObject({
      name: 'TaskCorruptedError',
      code: 'CHANGELOG_MISMATCH',
      taskId: '0_0',
      store: 'a',
    });
  });

  it('calls the task corrupted when the changelog is truncated under its hands', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 10]);
    const error = new RetriableError('OFFSET_OUT_OF_RANGE', 'gone');
    stage.failures.push({ topic: 'a-log', partition: 0, position: 0, reason: 'offset-out-of-range', error });
    await expect(stage.restore(stage.task('0_0', { store: 'a' }))).rejects.toMatchObject({
      code: 'CHANGELOG_TRUNCATED',
      taskId: '0_0',
      cause: error,
    });
  });

  it('passes on why a changelog cannot be read, and closes its fetcher', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 10]);
    const error = new Error('not authorized');
    stage.failures.push({ topic: 'a-log', partition: 0, position: 0, reason: 'unauthorized', error });
    await expect(stage.restore(stage.task('0_0', { store: 'a' }))).rejects.toBe(error);
    expect(stage.calls.slice(-2)).toEqual(['suspended: a 0/10', 'close fetcher']);
  });

  it('stops when it is told to, and tells what is left', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 10]);
    stage.arrive('a', 6, 6);
    await expect(stage.restore(stage.task('0_0', { store: 'a' }))).rejects.toThrow(CancelledError);
    expect(stage.calls.slice(-2)).toEqual(['suspended: a 6/10', 'close fetcher']);
  });

  it('is not disturbed by a listener that fails', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 1]);
    stage.arrive('a', 1, 1);
    stage.listener = {
      onRestoreEnd: () => {
        throw new Error('listener');
      },
    };
    await stage.restore(stage.task('0_0', { store: 'a' }));
    expect(stage.calls).toContain('ready 0_0');
  });
});
