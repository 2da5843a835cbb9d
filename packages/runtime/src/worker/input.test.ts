import { describe, expect, it } from 'vitest';
import { FatalStreamsError, RetriableError, silentLogger, topicPartitionKey, type TopicPartition } from '@millrace/core';
import type { CommittedOffset, FetchedPartition, FetchFailure, KafkaClient } from '@millrace/client';
import type { OffsetReset } from '../settings/settings.ts';
import { encodeOffsetMetadata } from '../task/offset-metadata.ts';
import type { StreamTask } from '../task/stream-task.ts';
import { Input } from './input.ts';
import { TaskSet } from './task-set.ts';

const AT = { topic: 'in', partition: 0 };
const FORMER = '01234567-89ab-cdef-0123-456789abcdef';
const LATTER = 'fedcba98-7654-3210-fedc-ba9876543210';

/** One task that reads `in-0`, with a fetcher and offsets that follow a script. */
class Stage {
  readonly calls: string[] = [];
  committed = -1;
  metadata = '';
  /** Of the topic `in`; undefined with a broker that knows no ids. */
  topicId: string | undefined;
  onRecreatedInput: 'fail' | 'reset' = 'fail';
  reset: OffsetReset = 'earliest';
  isFull = false;
  /** Bytes in the queue; each arrival adds one. */
  queued = 0;
  readonly arrivals: FetchedPartition[] = [];
  readonly failures: FetchFailure[] = [];
  readonly signal = new AbortController().signal;
  readonly tasks = new TaskSet();

  readonly task = {
    taskId: '0_0',
    inputPartitions: [AT],
    initializeInput: ([{ offset }]: readonly [CommittedOffset]) => this.calls.push(`initialize at ${offset}`),
    enqueue: ({ topic }: FetchedPartition) => {
      this.queued += 1;
      this.calls.push(`enqueue ${topic}`);
    },
    input: {
      isFull: () => this.isFull,
      hasRoom: () => !this.isFull,
      bufferedBytes: () => this.queued,
    },
  } as unknown as StreamTask;

  readonly input = this.createInput();

  /** That of another worker, or of this one after a restart. */
  createInput(): Input {
    return new Input({
      client: {
        admin: {
          describeTopics: async (names: readonly string[]) =>
            new Map(names.map((name) => [name, { name, partitions: 1, topicId: this.topicId }])),
        },
        offsets: {
          committed: async (groupId: string, partitions: readonly TopicPartition[]) => {
            this.calls.push(`ask ${groupId}`);
            return partitions.map((at) => ({ ...at, offset: this.committed, metadata: this.metadata }));
          },
          list: async (_partitions: readonly TopicPartition[], which: string) => {
            this.calls.push(`list ${which}`);
            return new Map([[topicPartitionKey('in', 0), which === 'earliest' ? 3 : 90]]);
          },
        },
        createFetcher: ({ isolation }: { isolation: string }) => {
          this.calls.push(`fetcher ${isolation}`);
          return {
            assign: (topic: string, partition: number, offset: number) =>
              this.calls.push(`assign ${topic}-${partition} ${offset}`),
            unassign: (topic: string) => this.calls.push(`unassign ${topic}`),
            seek: (topic: string, _partition: number, offset: number) => this.calls.push(`seek ${topic} ${offset}`),
            pause: (topic: string) => this.calls.push(`pause ${topic}`),
            resume: (topic: string) => this.calls.push(`resume ${topic}`),
            take: () => this.arrivals.shift(),
            available: true,
            takeFailures: () => this.failures.splice(0),
          };
        },
      } as unknown as KafkaClient,
      groupId: 'app',
      logger: silentLogger,
      isolation: 'read_committed',
      inputBufferMaxBytes: 8,
      offsetReset: () => this.reset,
      onRecreatedInput: this.onRecreatedInput,
      isInternal: () => false,
    });
  }

  async open(): Promise<void> {
    this.tasks.add(this.task);
    this.tasks.setRunning(this.task);
    await this.input.open(this.task, await this.input.committedOffsets([this.task], this.signal), this.signal);
    this.calls.splice(0);
  }

  arrive(topic = 'in'): void {
    this.arrivals.push({ topic, partition: 0 } as FetchedPartition);
  }

  fail(reason: FetchFailure['reason'], error: Error): void {
    this.failures.push({ ...AT, position: 5, reason, error });
  }
}

describe('Input', () => {
  it('reads from the committed offset', async () => {
    const stage = new Stage();
    stage.committed = 40;
    const offsets = await stage.input.committedOffsets([stage.task], stage.signal);
    await stage.input.open(stage.task, offsets, stage.signal);
    expect(stage.calls).toEqual(['fetcher read_committed', 'ask app', 'initialize at 40', 'assign in-0 40']);
  });

  it.each([
    ['earliest', 'list earliest', 3],
    ['latest', 'list latest-stable', 90],
  ] as const)('reads from %s when nothing is committed and the policy says so', async (reset, list, offset) => {
    const stage = new Stage();
    stage.reset = reset;
    const offsets = await stage.input.committedOffsets([stage.task], stage.signal);
    await stage.input.open(stage.task, offsets, stage.signal);
    expect(stage.calls.slice(2)).toEqual(['initialize at -1', list, `assign in-0 ${offset}`]);
  });

  it("stops when nothing is committed and the policy is 'none'", async () => {
    const stage = new Stage();
    stage.reset = 'none';
    await expect(stage.open()).rejects.toMatchObject({ name: 'FatalStreamsError', code: 'NO_OFFSET', topic: 'in', partition: 0 });
  });

  it('pauses a partition whose queue is full, and resumes it when there is room', async () => {
    const stage = new Stage();
    await stage.open();
    stage.isFull = true;
    stage.arrive();
    expect(stage.input.deliver(stage.tasks)).toBe(true);
    stage.input.resumeDrained(stage.tasks);
    expect(stage.calls).toEqual(['enqueue in', 'pause in']);
    stage.isFull = false;
    stage.input.resumeDrained(stage.tasks);
    stage.input.resumeDrained(stage.tasks);
    expect(stage.calls.slice(2)).toEqual(['resume in']);
  });

  it('pauses partitions when all queues together are full, and resumes them when all are down to half', async () => {
    const stage = new Stage();
    await stage.open();
    stage.queued = 5;
    stage.arrive();
    stage.input.deliver(stage.tasks);
    stage.queued = 4;
    stage.input.resumeDrained(stage.tasks);
    expect(stage.calls).toEqual(['enqueue in', 'pause in']);
    stage.queued = 3;
    stage.input.resumeDrained(stage.tasks);
    expect(stage.calls.slice(2)).toEqual(['resume in']);
  });

  it('fills a queue that is empty whatever the others hold: its task may wait for it', async () => {
    const stage = new Stage();
    await stage.open();
    stage.isFull = true;
    stage.arrive();
    stage.input.deliver(stage.tasks);
    stage.queued = 0;
    stage.input.resumeDrained(stage.tasks);
    expect(stage.calls.slice(2)).toEqual(['resume in']);
  });

  it('drops what arrives for a partition that no task reads any more', async () => {
    const stage = new Stage();
    await stage.open();
    stage.input.close(stage.task);
    stage.tasks.remove(stage.task);
    stage.arrive();
    stage.input.deliver(stage.tasks);
    expect(stage.calls).toEqual(['unassign in']);
  });

  it('has nothing to stop for a task that was closed before its input was opened', () => {
    const stage = new Stage();
    stage.input.close(stage.task);
    expect(stage.calls).toEqual(['fetcher read_committed']);
  });

  it('goes back to its last commit, paused or not', async () => {
    const stage = new Stage();
    stage.committed = 40;
    await stage.open();
    stage.isFull = true;
    stage.arrive();
    stage.input.deliver(stage.tasks);
    stage.input.committed([{ ...AT, offset: 44, metadata: '' }]);
    stage.committed = 44;
    stage.calls.splice(0);
    await stage.input.reopen(stage.task, stage.signal);
    stage.isFull = false;
    stage.input.resumeDrained(stage.tasks);
    expect(stage.calls).toEqual(['ask app', 'initialize at 44', 'seek in 44', 'resume in']);
  });

  it('gives the task up when the committed offset is not that of its last commit', async () => {
    const stage = new Stage();
    stage.committed = 40;
    await stage.open();
    stage.committed = 50;
    await expect(stage.input.reopen(stage.task, stage.signal)).rejects.toMatchObject({
      name: 'TaskMigratedError',
      code: 'OFFSETS_MOVED',
      taskId: '0_0',
    });
  });

  it('applies the reset policy when the position does not exist any more', async () => {
    const stage = new Stage();
    await stage.open();
    stage.fail('offset-out-of-range', new RetriableError('OFFSET_OUT_OF_RANGE', 'gone'));
    await stage.input.handleFailures(stage.signal);
    expect(stage.calls).toEqual(['list earliest', 'seek in 3']);
  });

  it("keeps the cause when the position does not exist any more and the policy is 'none'", async () => {
    const stage = new Stage();
    await stage.open();
    stage.reset = 'none';
    const cause = new RetriableError('OFFSET_OUT_OF_RANGE', 'gone');
    stage.fail('offset-out-of-range', cause);
    await expect(stage.input.handleFailures(stage.signal)).rejects.toMatchObject({ code: 'NO_OFFSET', cause });
  });

  it('gives the task up for another offset also when the topic id was not known at first, as while a broker has just started', async () => {
    const stage = new Stage();
    stage.committed = 40;
    await stage.open();
    stage.topicId = LATTER;
    stage.committed = 50;
    await expect(stage.input.reopen(stage.task, stage.signal)).rejects.toMatchObject({ code: 'OFFSETS_MOVED' });
  });

  it('F21: reads a topic under its id, and stops when it is another one', async () => {
    const stage = new Stage();
    stage.topicId = FORMER;
    stage.committed = 40;
    await stage.open();
    stage.topicId = LATTER;
    stage.fail('topic-recreated', new FatalStreamsError('TOPIC_RECREATED', 'another one'));
    await expect(stage.input.handleFailures(stage.signal)).rejects.toMatchObject({
      name: 'FatalStreamsError',
      code: 'INPUT_TOPIC_RECREATED',
      topic: 'in',
      offset: 40,
    });
  });

  it.each([
    ['has forgotten the offset', -1],
    ['has an offset that was committed after that', 44],
  ])('F21: begins anew in the new topic when that is asked for and the broker %s', async (_name, committed) => {
    const stage = new Stage();
    stage.onRecreatedInput = 'reset';
    const input = stage.createInput();
    stage.topicId = FORMER;
    stage.committed = 40;
    await input.open(stage.task, await input.committedOffsets([stage.task], stage.signal), stage.signal);
    stage.topicId = LATTER;
    stage.committed = committed;
    stage.metadata = committed < 0 ? '' : encodeOffsetMetadata(1, new Map(), FORMER);
    stage.fail('offset-out-of-range', new RetriableError('OFFSET_OUT_OF_RANGE', 'gone'));
    await expect(input.handleFailures(stage.signal)).rejects.toMatchObject({ name: 'RetriableError' });
    stage.calls.splice(0);
    await input.reopen(stage.task, stage.signal);
    expect(stage.calls).toEqual(['ask app', 'list earliest', 'initialize at 3', 'seek in 3', 'resume in']);
  });

  it('goes on where it was when a broker has only heard late of the topic', async () => {
    const stage = new Stage();
    stage.topicId = FORMER;
    await stage.open();
    stage.fail('unknown-topic', new RetriableError('UNKNOWN_TOPIC_OR_PARTITION', 'not here'));
    await stage.input.handleFailures(stage.signal);
    expect(stage.calls).toEqual(['seek in 5']);
  });

  it('passes on every other reason why a partition cannot be read', async () => {
    const stage = new Stage();
    await stage.open();
    const error = new FatalStreamsError('TOPIC_AUTHORIZATION_FAILED', 'not yours');
    stage.fail('unauthorized', error);
    await expect(stage.input.handleFailures(stage.signal)).rejects.toBe(error);
  });
});
