import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@millrace/core';
import { type StateDatabase, WriteBatch } from '@millrace/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { levelDbEngine } from '../level-db-engine.ts';

const WRITE_BUFFER_BYTES = 128 * 1024;
const ROWS_PER_BUCKET = 500;
const LIVING_BUCKETS = 3;
const BUCKETS = 60;
const value = Buffer.alloc(200, 'v');
const bucketBytes = ROWS_PER_BUCKET * (value.length + 16);

describe('DeadRanges', () => {
  let directory: string;
  let database: StateDatabase;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-dead-ranges-'));
    const engine = levelDbEngine({ writeBufferBytes: WRITE_BUFFER_BYTES });
    database = await engine.open({ directory, taskId: '0_0', logger: silentLogger });
  });

  afterEach(async () => {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Adds a bucket of rows at the upper end and deletes the one that is too old. */
  async function writeBucket(bucket: number): Promise<void> {
    const batch = new WriteBatch();
    const expired = bucket - LIVING_BUCKETS;
    for (let row = 0; row < ROWS_PER_BUCKET; row++) batch.putBytes(rowKey(bucket, row), value);
    if (expired >= 0) {
      batch.begin();
      batch.scratch.writeBytes(rowKey(expired, 0));
      batch.endKey();
      batch.scratch.writeBytes(rowKey(expired + 1, 0));
      batch.deleteRange();
    }
    await database.write(batch);
  }

  async function bytesOnDisk(): Promise<number> {
    const files = join(directory, 'leveldb');
    const sizes = await Promise.all((await readdir(files)).map(async (name) => (await stat(join(files, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  it('keeps a database from growing into which rows are written in order of time and deleted from the other end', async () => {
    for (let bucket = 0; bucket < BUCKETS; bucket++) await writeBucket(bucket);
    const keptBytes = LIVING_BUCKETS * bucketBytes + 4 * WRITE_BUFFER_BYTES;
    await expect.poll(bytesOnDisk).toBeLessThan(keptBytes * 2);
    expect(keptBytes * 2).toBeLessThan((BUCKETS * bucketBytes) / 3);
  });

  it('keeps what was not deleted', async () => {
    for (let bucket = 0; bucket < BUCKETS; bucket++) await writeBucket(bucket);
    let rows = 0;
    for await (const [, stored] of database.entries({})) rows += stored.length === value.length ? 1 : 0;
    expect(rows).toBe(LIVING_BUCKETS * ROWS_PER_BUCKET);
    expect(database.get(rowKey(BUCKETS - 1, ROWS_PER_BUCKET - 1))).toEqual(value);
  });
});

function rowKey(bucket: number, row: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(bucket, 0);
  key.writeUInt32BE(row, 4);
  return key;
}
