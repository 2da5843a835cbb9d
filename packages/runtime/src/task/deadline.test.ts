import { RecordContext } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { withDeadline } from './deadline.ts';

function stage() {
  const clock = new ManualClock();
  const recordContext = new RecordContext();
  recordContext.set('in', 2, 7, 0, []);
  return { clock, options: { clock, timeoutMs: 100, taskId: '0_2', node: 'call', recordContext } };
}

describe('withDeadline', () => {
  it('passes on what the work comes to', async () => {
    const { options } = stage();
    await expect(withDeadline(Promise.resolve(), options)).resolves.toBeUndefined();
    await expect(withDeadline(Promise.reject(new Error('oops')), options)).rejects.toThrow('oops');
  });

  it('fails with the place of the record when the work takes too long', async () => {
    const { clock, options } = stage();
    const bounded = withDeadline(new Promise(() => undefined), options);
    const failed = expect(bounded).rejects.toMatchObject({
      code: 'PROCESSING_TIMEOUT',
      taskId: '0_2',
      node: 'call',
      topic: 'in',
      partition: 2,
      offset: 7,
    });
    await clock.advance(100);
    await failed;
  });

  it('does not fail later when the work was done in time', async () => {
    const { clock, options } = stage();
    const bounded = withDeadline(Promise.resolve(), options);
    await bounded;
    expect(clock.pendingTimers).toBe(0);
  });
});
