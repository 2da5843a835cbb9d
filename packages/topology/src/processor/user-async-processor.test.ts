import { type Headers, NO_HEADERS, string, topic } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { Topology } from '../builder/topology.ts';
import type { AsyncLane, AsyncOperator, AsyncSettings } from '../node/async-operator.ts';
import { RecordingTask } from '../node/recording-task.ts';
import { TaskTopology } from '../node/task-topology.ts';
import type { AsyncProcessor } from './async-processor.ts';
import type { ProcessorContext } from './processor.ts';
import { asyncProcessorNodeSupplier } from './user-async-processor.ts';

const words = topic('words', { key: string(), value: string() });
const SETTINGS: AsyncSettings = {
  concurrency: 2,
  timeoutMs: 1000,
  attempts: 1,
  backoffMs: 0,
  maxBackoffMs: 0,
  order: 'perKey',
};

/** A task that remembers what asynchronous operators hand in. */
class AsyncTask extends RecordingTask {
  readonly lanes: { readonly node: string; readonly operator: AsyncOperator; readonly settings: AsyncSettings }[] = [];
  readonly submitted: (readonly [key: unknown, value: unknown, timestamp: number, headers: Headers])[] = [];

  asyncLane(node: string, operator: AsyncOperator, settings: AsyncSettings): AsyncLane {
    this.lanes.push({ node, operator, settings });
    return { submit: (...record) => void this.submitted.push(record) };
  }
}

function start(task: RecordingTask, closed: string[] = []): (value: string) => void {
  const supplier = (): AsyncProcessor<string, string, string, string, string> => {
    let context: ProcessorContext<string, string>;
    return {
      init(given) {
        context = given;
      },
      request: async ({ key, value, timestamp }, { attempt }) => `${key} ${value} ${timestamp} ${attempt}`,
      process: (record, answer) => context.forward(record.withValue(answer)),
      close: () => void closed.push('closed'),
    };
  };
  const topology = new Topology()
    .addSource('source', words)
    .addNode('ask', asyncProcessorNodeSupplier(supplier, SETTINGS), ['source'])
    .addSink('sink', words, ['ask']);
  const [plan] = topology.plan().subtopologies;
  const nodes = TaskTopology.create(plan!, task, (name) => name);
  if (closed.length > 0) nodes.close();
  return (value) => {
    task.recordContext.set('words', 0, 5, 7, NO_HEADERS);
    nodes.source('words')?.process('k', value, 7, NO_HEADERS, undefined, true);
  };
}

describe('an asynchronous processor', () => {
  it('hands its records to the lane that the task gives it, and forwards nothing by itself', () => {
    const task = new AsyncTask();
    start(task)('a');
    expect(task.lanes).toMatchObject([{ node: 'ask', settings: SETTINGS }]);
    expect([task.submitted, task.sent]).toEqual([[['k', 'a', 7, NO_HEADERS]], []]);
  });

  it('is asked with the record, and given the answer with it', async () => {
    const task = new AsyncTask();
    start(task)('a');
    const { operator } = task.lanes[0]!;
    const call = { signal: new AbortController().signal, attempt: 2, topic: 'words', partition: 0, offset: 5 };
    const answer = await operator.call('k', 'a', { ...call, timestamp: 7, headers: NO_HEADERS });
    operator.complete(answer, 'k', 'a', 7, NO_HEADERS);
    expect(task.sent).toEqual([{ node: 'sink', key: 'k', value: 'k a 7 2', timestamp: 7, headers: NO_HEADERS }]);
  });

  it('is closed with its task', () => {
    const closed = ['to be closed'];
    start(new AsyncTask(), closed);
    expect(closed).toEqual(['to be closed', 'closed']);
  });

  it('is refused where nothing asynchronous can run', () => {
    expect(() => start(new RecordingTask())).toThrow(expect.objectContaining({ code: 'ASYNC_UNAVAILABLE', node: 'ask' }));
  });
});
