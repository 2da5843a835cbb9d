import { describe, expect, it } from 'vitest';
import type { StreamTask } from '../task/stream-task.ts';
import { LocalWrites } from './local-writes.ts';

function writing(write: Promise<void>): StreamTask {
  return { completeCommit: () => write } as unknown as StreamTask;
}

describe('LocalWrites', () => {
  it('is settled when every write that was started is done', async () => {
    const writes = new LocalWrites();
    const order: string[] = [];
    let finish: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    }).then(() => void order.push('written'));
    writes.start([writing(slow)]);
    writes.start([writing(Promise.resolve())]);
    const settled = writes.settled().then(() => void order.push('settled'));
    finish();
    await settled;
    expect(order).toEqual(['written', 'settled']);
  });

  it('tells a failure once, and lets the other writes finish first', async () => {
    const writes = new LocalWrites();
    let written = false;
    const later = Promise.resolve().then(() => {
      written = true;
    });
    writes.start([writing(Promise.reject(new Error('disk full'))), writing(later)]);
    await expect(writes.settled()).rejects.toThrow('disk full');
    expect(written).toBe(true);
    await expect(writes.settled()).resolves.toBeUndefined();
  });

  it('keeps the first of several failures', async () => {
    const writes = new LocalWrites();
    writes.start([writing(Promise.reject(new Error('first')))]);
    writes.start([writing(Promise.reject(new Error('second')))]);
    await expect(writes.settled()).rejects.toThrow('first');
  });
});
