import { describe, expect, it } from 'vitest';
import { WriteBatch } from './write-batch.ts';

const KIB = 1024;
/** As many as it takes to be looked at. */
const BATCHES = 64;

function use(batch: WriteBatch, bytes: number): void {
  batch.putBytes(Buffer.from('key'), Buffer.alloc(bytes));
  batch.clear();
}

describe('the memory of a write batch', () => {
  it('is given back when the batches after a large one are small', () => {
    const batch = new WriteBatch();
    use(batch, 4096 * KIB);
    for (let n = 0; n < 2 * BATCHES; n++) use(batch, 100 * KIB);
    expect(batch.scratch.bytes.length).toBeGreaterThan(100 * KIB);
    expect(batch.scratch.bytes.length).toBeLessThan(512 * KIB);
    for (let n = 0; n < 2 * BATCHES; n++) use(batch, 10);
    expect(batch.scratch.bytes).toHaveLength(64 * KIB);
  });

  it('is kept as long as batches need it now and then', () => {
    const batch = new WriteBatch();
    use(batch, 4096 * KIB);
    const { bytes } = batch.scratch;
    for (let n = 0; n < 10 * BATCHES; n++) use(batch, n % (BATCHES / 2) === 0 ? 2048 * KIB : 10);
    expect(batch.scratch.bytes).toBe(bytes);
  });

  it('holds what was put into it after some was given back', () => {
    const batch = new WriteBatch();
    use(batch, 4096 * KIB);
    for (let n = 0; n < 2 * BATCHES; n++) use(batch, 10);
    batch.putBytes(Buffer.from('key'), Buffer.alloc(300 * KIB, 7));
    const rows: (readonly [string, number])[] = [];
    batch.visit({
      put: (bytes, keyStart, keyEnd, valueStart, valueEnd) =>
        rows.push([
          bytes.toString('utf8', keyStart, keyEnd),
          bytes.subarray(valueStart, valueEnd).filter((one) => one === 7).length,
        ]),
      delete: () => undefined,
      deleteRange: () => undefined,
    });
    expect(rows).toEqual([['key', 300 * KIB]]);
  });
});
