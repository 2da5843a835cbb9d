import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeadRanges } from './dead-ranges.ts';
import { type Level, openLevel } from './level-store.ts';
import { Turns } from './turns.ts';

const WRITE_BUFFER_BYTES = 1024 * 1024;
const ROWS_PER_BUCKET = 500;
const LIVING_BUCKETS = 3;
const BUCKETS = 40;
const value = Buffer.alloc(1000, 'v');
const bucketBytes = ROWS_PER_BUCKET * value.length;

describe('DeadRanges', () => {
  let directory: string;
  let level: Level;
  let dead: DeadRanges;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-dead-ranges-'));
    level = await openLevel(directory, { writeBufferBytes: WRITE_BUFFER_BYTES, blockCacheBytes: 0 }, true);
    dead = new DeadRanges(level, { compactFromBytes: WRITE_BUFFER_BYTES, compactions: new Turns() });
  });

  afterEach(async () => {
    await dead.settled();
    await level.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Adds a bucket of rows at the upper end, and clears the one that is too old. */
  async function writeBucket(bucket: number): Promise<void> {
    const batch = level.batch();
    for (let row = 0; row < ROWS_PER_BUCKET; row++) batch.put(rowKey(bucket, row), value);
    await batch.write();
    const expired = bucket - LIVING_BUCKETS;
    if (expired < 0) return;
    const range = { gte: rowKey(expired, 0), lt: rowKey(expired + 1, 0) };
    await level.clear(range);
    await dead.add(range);
    await dead.settled();
  }

  async function bytesOnDisk(): Promise<number> {
    // LevelDB removes files meanwhile: what is gone takes no space.
    const found = await Promise.allSettled((await readdir(directory)).map((name) => stat(join(directory, name))));
    return found.reduce((sum, one) => sum + (one.status === 'fulfilled' ? one.value.size : 0), 0);
  }

  it('gives the space of cleared buckets back, so that the database stays as large as what lives in it', async () => {
    let largest = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      await writeBucket(bucket);
      largest = Math.max(largest, await bytesOnDisk());
    }
    // Not yet cleared enough, LevelDB's log, and as much again while files are merged.
    expect(largest).toBeLessThan(2 * (LIVING_BUCKETS * bucketBytes + 2 * WRITE_BUFFER_BYTES));
    expect(await level.keys().all()).toHaveLength(LIVING_BUCKETS * ROWS_PER_BUCKET);
  });

  it('compacts nothing as long as little has been cleared', async () => {
    await writeBucket(0);
    const files = await readdir(directory);
    await dead.add({ gte: rowKey(5, 0), lt: rowKey(6, 0) });
    await dead.settled();
    expect(await readdir(directory)).toEqual(files);
  });
});

function rowKey(bucket: number, row: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeUInt32BE(bucket, 0);
  key.writeUInt32BE(row, 4);
  return key;
}
