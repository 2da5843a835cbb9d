import { describe, expect, it } from 'vitest';
import {
  CancelledError,
  type Clock,
  type Logger,
  RetriableError,
  silentLogger,
  topicPartitionKey,
  type TopicPartition,
} from '@millrace/core';
import type { CommittedOffset, FetchedPartition, FetchFailure, KafkaClient } from '@millrace/client';
import type { StreamTask } from '../task/stream-task.ts';
import type { RestoreListener, RestoreProgress } from './restore-listener.ts';
import { Restorer, type RestorePolicy } from './restorer.ts';

interface Changelog {
  readonly store: string;
  /** Where the local state is; undefined when there is none. */
  readonly offset?: number;
  readonly isInput?: boolean;
}

/** A clock that the test moves; sleeping takes no time, and is counted. */
class StillClock implements Clock {
  sleeps = 0;
  #ms = 0;

  nowMs = (): number => this.#ms;
  monotonicMs = (): number => this.#ms;
  setTimer = () => () => undefined;

  async sleep(): Promise<void> {
    this.sleeps++;
  }

  advance(byMs: number): void {
    this.#ms += byMs;
  }
}

/** What there is of the inputs of a task. */
interface Inputs {
  readonly partitions: readonly TopicPartition[];
  /** The offset that the local state remembers, of every input. */
  readonly stored?: number;
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
  policy: RestorePolicy = { onMissingOffsets: 'fail', allowChangelogRebuild: false };
  isolation: 'read_committed' | 'read_uncommitted' = 'read_committed';
  logger: Logger = silentLogger;
  readonly clock = new StillClock();
  /** Last stable offset and high watermark, as the fetcher knows them. */
  fetchedBounds = { lastStableOffset: 0, highWatermark: 0, logStartOffset: 0 };
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
      bounds: () => this.fetchedBounds,
      close: async () => void this.calls.push('close fetcher'),
    }),
  } as unknown as KafkaClient;

  #tell(what: string, { store, currentOffset, endOffset }: RestoreProgress): void {
    this.calls.push(`${what}: ${store} ${currentOffset}/${endOffset}`);
  }

  task(taskId: string, ...changelogs: Changelog[]): StreamTask {
    return this.taskWith(taskId, { partitions: [] }, ...changelogs);
  }

  taskWith(taskId: string, { partitions, stored }: Inputs, ...changelogs: Changelog[]): StreamTask {
    return {
      taskId,
      inputPartitions: partitions,
      storedInputOffset: () => stored,
      changelogs: () =>
        changelogs.map(({ store, offset, isInput = false }) => ({ store, topic: `${store}-log`, partition: 0, offset, isInput })),
      applyRestored: async ({ batches }: FetchedPartition) => batches.length,
      finishRestore: async () => void this.calls.push(`finish ${taskId}`),
    } as unknown as StreamTask;
  }

  /** `count` records arrive, behind which the position is `nextOffset`. */
  arrive(store: string, count: number, nextOffset: number): void {
    const batches = Array.from({ length: count });
    const fetched = { topic: `${store}-log`, partition: 0, batches, nextOffset, byteLength: count * 10 };
    this.arrivals.push(fetched as unknown as FetchedPartition);
  }

  restore(...tasks: StreamTask[]): Promise<void> {
    const restorer = new Restorer({
      client: this.#client,
      clock: this.clock,
      logger: this.logger,
      listener: this.listener,
      isolation: this.isolation,
      policy: this.policy,
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
    ['F18: behind', 4, [5, 10]],
    ['F18: ahead of', 11, [5, 10]],
  ] as const)('%s the changelog: such local state counts as corrupted', async (_where, offset, bounds) => {
    const stage = new Stage();
    stage.bounds.set('a-log', bounds);
    await expect(stage.restore(stage.task('0_0', { store: 'a', offset }))).rejects.toMatchObject({
      name: 'TaskCorruptedError',
      code: 'CHANGELOG_MISMATCH',
      taskId: '0_0',
      store: 'a',
    });
  });

  it('F18: calls the task corrupted when the changelog is truncated under its hands', async () => {
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

  it('F19: does not take an empty changelog for the end of the state that was written from it', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 0]);
    const restoring = stage.restore(stage.task('0_0', { store: 'a', offset: 7 }));
    await expect(restoring).rejects.toMatchObject({
      name: 'FatalStreamsError',
      code: 'CHANGELOG_MISSING',
      topic: 'a-log',
      message: expect.stringContaining('allowChangelogRebuild'),
    });
  });

  it('F19: takes it for that when the user says so: the state is put aside', async () => {
    const stage = new Stage();
    stage.policy = { ...stage.policy, allowChangelogRebuild: true };
    const restoring = stage.restore(stage.task('0_0', { store: 'a', offset: 7 }));
    await expect(restoring).rejects.toMatchObject({ code: 'CHANGELOG_MISMATCH' });
  });

  it('F19: names a changelog that is deleted while it is restored', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 10]);
    const error = new RetriableError('UNKNOWN_TOPIC_OR_PARTITION', 'gone');
    stage.failures.push({ topic: 'a-log', partition: 0, position: 0, reason: 'unknown-topic', error });
    const restoring = stage.restore(stage.task('0_0', { store: 'a' }));
    await expect(restoring).rejects.toMatchObject({ name: 'FatalStreamsError', code: 'CHANGELOG_MISSING', topic: 'a-log' });
  });

  describe('F42: committed offsets are gone', () => {
    const partitions = [{ topic: 'in', partition: 0 }];
    const gone = { topic: 'in', partition: 0, offset: -1, metadata: '' };

    function stageWithout(): Stage {
      const stage = new Stage();
      stage.committed.set('in-0', gone);
      stage.bounds.set('in', [0, 50]);
      stage.bounds.set('a-log', [0, 10]);
      return stage;
    }

    it('refuses when the local state was written after a commit', async () => {
      const stage = stageWithout();
      const task = stage.taskWith('0_0', { partitions, stored: 40 }, { store: 'a', offset: 10 });
      await expect(stage.restore(task)).rejects.toMatchObject({ code: 'OFFSETS_MISSING', topic: 'in', taskId: '0_0' });
    });

    it('refuses when the changelog holds records, before any of them is applied', async () => {
      const stage = stageWithout();
      stage.arrive('a', 3, 10);
      const task = stage.taskWith('0_0', { partitions }, { store: 'a' });
      await expect(stage.restore(task)).rejects.toMatchObject({ code: 'OFFSETS_MISSING' });
      expect(stage.calls.filter((call) => call.startsWith('batch'))).toEqual([]);
    });

    it.each<readonly [why: string, arrange: (stage: Stage) => void]>([
      ['what is in the changelog was aborted', (stage) => stage.arrive('a', 0, 10)],
      [
        'nothing has ever been in the input: a punctuator wrote',
        (stage) => {
          stage.bounds.set('in', [0, 0]);
          stage.arrive('a', 3, 10);
        },
      ],
      [
        'the very first commit may have been interrupted: at least once',
        (stage) => {
          stage.isolation = 'read_uncommitted';
          stage.arrive('a', 3, 10);
        },
      ],
      [
        'the user wants it so',
        (stage) => {
          stage.policy = { ...stage.policy, onMissingOffsets: 'reset' };
          stage.arrive('a', 3, 10);
        },
      ],
    ])('goes on when %s', async (_why, arrange) => {
      const stage = stageWithout();
      arrange(stage);
      await stage.restore(stage.taskWith('0_0', { partitions }, { store: 'a' }));
      expect(stage.calls).toContain('ready 0_0');
    });
  });

  it('says of a changelog that does not move on where it stands, and that a transaction may hang', async () => {
    const stage = new Stage();
    const warnings: unknown[] = [];
    stage.logger = { ...silentLogger, warn: (message, fields) => warnings.push([message, fields]) };
    stage.bounds.set('a-log', [0, 10]);
    stage.fetchedBounds = { lastStableOffset: 6, highWatermark: 10, logStartOffset: 0 };
    stage.arrive('a', 6, 6);
    let idles = 0;
    stage.onIdle = () => {
      stage.clock.advance(1000);
      if (++idles === 12) stage.arrive('a', 0, 10);
    };
    await stage.restore(stage.task('0_0', { store: 'a' }));
    expect(warnings).toEqual([
      [
        expect.stringContaining('find-hanging'),
        expect.objectContaining({ topic: 'a-log', partition: 0, position: 6, endOffset: 10, lastStableOffset: 6, forMs: 5000 }),
      ],
      [expect.anything(), expect.objectContaining({ forMs: 10_000 })],
    ]);
  });

  it('tells records, bytes, rate and the time that is left', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 10]);
    const seen: Partial<RestoreProgress>[] = [];
    stage.listener = {
      onBatchRestored: ({ restoredRecords, restoredBytes, recordsPerSecond, remainingMs }) =>
        seen.push({ restoredRecords, restoredBytes, recordsPerSecond, remainingMs }),
    };
    stage.onIdle = () => {
      stage.clock.advance(500);
      stage.arrive('a', 4, seen.length === 0 ? 4 : 10);
    };
    await stage.restore(stage.task('0_0', { store: 'a' }));
    expect(seen).toEqual([
      { restoredRecords: 4, restoredBytes: 40, recordsPerSecond: 8, remainingMs: 750 },
      { restoredRecords: 8, restoredBytes: 80, recordsPerSecond: 8, remainingMs: 0 },
    ]);
  });

  it('gives way to others after each slice of its time', async () => {
    const stage = new Stage();
    stage.bounds.set('a-log', [0, 100]);
    for (let i = 1; i <= 100; i++) stage.arrive('a', 1, i);
    stage.listener = { onBatchRestored: () => stage.clock.advance(2) };
    await stage.restore(stage.task('0_0', { store: 'a' }));
    expect(stage.clock.sleeps).toBe(25);
  });
});
