import { ProcessingError, TaskCorruptedError } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { FailureLatch } from './failure-latch.ts';
import { PendingWork } from './pending-work.ts';

const refused = new ProcessingError('PROCESSING_FAILED', 'bad record');
const corrupted = new TaskCorruptedError('STATE_DISK_FULL', 'no room', { taskId: '0_0' });

describe('the failure of a task', () => {
  it('is the first one, and gone when the task has gone back to a known state', () => {
    const latch = new FailureLatch(new PendingWork());
    expect(latch.fail(refused)).toBe(refused);
    latch.fail(new Error('a consequence'));
    expect(() => latch.assertOpen()).toThrow(refused);
    latch.reset();
    latch.assertOpen();
  });

  it('stays when the local state lacks what Kafka has committed: there is no known state to go back to', () => {
    const latch = new FailureLatch(new PendingWork());
    latch.fail(refused);
    latch.fail(corrupted);
    expect(() => latch.reset()).toThrow(corrupted);
    expect(() => latch.assertOpen()).toThrow(corrupted);
  });
});
