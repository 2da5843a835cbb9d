import { silentLogger } from '@millrace/core';
import { memoryEngine, WriteBatch } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { StateMeta } from './state-meta.ts';

describe('StateMeta', () => {
  it.each([
    ['with each commit where rows outlive the process', true, 2, 0],
    ['when the database is handed over where they do not', false, 0, 2],
  ])('writes offsets %s', async (_name, isPersistent, rowsPerCommit, rowsAtTheEnd) => {
    const database = await memoryEngine().open({ directory: 'state-meta', taskId: '0_0', logger: silentLogger });
    const meta = await StateMeta.load(database, isPersistent);
    const commit = new WriteBatch();
    meta.setChangelogOffset('counts', 7, commit);
    meta.setInputOffset('orders-0', 9, commit);
    expect(commit.size).toBe(rowsPerCommit);
    await database.write(commit);

    const handOver = new WriteBatch();
    meta.saveOffsets(handOver);
    expect(handOver.size).toBe(rowsAtTheEnd);
    await database.write(handOver);

    const next = await StateMeta.load(database, isPersistent);
    expect([next.changelogOffset('counts'), next.inputOffset('orders-0')]).toEqual([7, 9]);
    await database.close();
  });
});
