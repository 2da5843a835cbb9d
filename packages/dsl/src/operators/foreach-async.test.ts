import { resolveAsyncOptions } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { foreachAsyncOperator } from './foreach-async.ts';
import { OperatorHarness } from './operator-harness.ts';

describe('foreachAsync', () => {
  it('shows each record, with what is known of the call, and forwards nothing', async () => {
    const harness = new OperatorHarness();
    const seen: unknown[] = [];
    const action = async (
      value: unknown,
      key: unknown,
      { attempt, offset, timestamp }: { attempt: number; offset: number; timestamp: number },
    ) => {
      seen.push([key, value, attempt, offset, timestamp]);
    };
    const node = harness.node(foreachAsyncOperator({ action, settings: resolveAsyncOptions({}, 'node') }));
    harness.pipe(node, 'a', 1, 7);
    await Promise.all(harness.calls);
    expect([seen, harness.forwarded]).toEqual([[['a', 1, 1, 0, 7]], []]);
  });
});
