import { type AsyncProcessor, type ProcessorContext, resolveAsyncOptions } from '@millrace/topology';
import { int32, string } from '@millrace/core';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { OperatorHarness } from './operator-harness.ts';
import { processAsyncOperator } from './process-async.ts';

const settings = resolveAsyncOptions({}, 'node');

describe('processAsync', () => {
  it('gives each answer to process, which may use stores and forward', async () => {
    const harness = new OperatorHarness();
    await harness.open(keyValueStore('sums', string(), int32()));
    const supplier = (): AsyncProcessor<string, number, number, string, number> => {
      let context: ProcessorContext<string, number>;
      let sums: KeyValueStore<string, number>;
      return {
        init(given) {
          context = given;
          sums = given.getStateStore('sums');
        },
        request: async ({ value }, { attempt }) => value * 10 + attempt,
        process(record, answer) {
          const sum = (sums.get(record.key) ?? 0) + answer;
          sums.put(record.key, sum);
          context.forward(record.withValue(sum));
        },
      };
    };
    const node = harness.node(processAsyncOperator({ supplier, settings }));
    harness.pipe(node, 'a', 1, 7);
    harness.pipe(node, 'a', 2, 8);
    await Promise.all(harness.calls);
    expect(harness.forwarded).toEqual([
      { key: 'a', value: 11, at: 7 },
      { key: 'a', value: 32, at: 8 },
    ]);
  });

  it.each([
    ['forwarding from request', { request: 'forward' }, /FORWARD|forward was called while no record is processed/],
    ['a process that returns a promise', { process: 'async' }, /belongs into its request/],
  ])('refuses %s', async (_name, { request, process }: { request?: string; process?: string }, message) => {
    const harness = new OperatorHarness();
    const supplier = (): AsyncProcessor<string, number, void, string, number> => {
      let context: ProcessorContext<string, number>;
      return {
        init(given) {
          context = given;
        },
        request: async (record) => (request === 'forward' ? context.forward(record) : undefined),
        process: () => (process === 'async' ? (Promise.resolve() as never) : undefined),
      };
    };
    harness.pipe(harness.node(processAsyncOperator({ supplier, settings })), 'a', 1);
    await expect(harness.calls[0]).rejects.toThrow(message);
  });
});
