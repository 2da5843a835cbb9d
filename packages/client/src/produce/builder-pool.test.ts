import { expect, test } from 'vitest';
import type { RecordBatchBuilder } from '@millrace/wire';
import { BuilderPool } from './builder-pool.ts';

const KEPT_MAX = 16;
const INITIAL_BYTES = 1024;
const GROWN_BYTES = 64 * 1024;

test('a builder that was given back is the next to be taken, empty and with the buffer that it has grown', () => {
  const pool = newPool();
  const builder = pool.take();
  fill(builder, 5000);
  const capacity = builder.capacity;
  pool.giveBack(builder);
  expect(pool.take()).toBe(builder);
  expect(builder.isEmpty).toBe(true);
  expect(builder.capacity).toBe(capacity);
});

test('no more builders are kept than it may keep', () => {
  const pool = newPool();
  batchesAtOnce(pool, 3 * KEPT_MAX, 10);
  expect(pool.keptBytes).toBe(KEPT_MAX * INITIAL_BYTES);
});

test('a builder that one record has grown beyond a batch is not kept', () => {
  const pool = newPool();
  batchesAtOnce(pool, 1, 3 * GROWN_BYTES);
  expect(pool.keptBytes).toBe(0);
});

test('what a backlog made it keep goes again while fewer batches are made', () => {
  const pool = newPool();
  batchesAtOnce(pool, KEPT_MAX, GROWN_BYTES / 2);
  const afterBacklog = pool.keptBytes;
  for (let i = 0; i < 100 * KEPT_MAX; i++) batchesAtOnce(pool, 2, GROWN_BYTES / 2);
  expect(afterBacklog).toBeGreaterThan(KEPT_MAX * GROWN_BYTES * 0.4);
  expect(pool.keptBytes).toBeLessThanOrEqual(2 * GROWN_BYTES);
});

test('what a backlog made large goes again while smaller batches are made, also if as many of them', () => {
  const pool = newPool();
  batchesAtOnce(pool, KEPT_MAX, GROWN_BYTES / 2);
  for (let i = 0; i < 20; i++) batchesAtOnce(pool, KEPT_MAX, 10);
  expect(pool.keptBytes).toBe(KEPT_MAX * INITIAL_BYTES);
});

test('batches of different sizes in turns go on with the same builders', () => {
  const pool = newPool();
  const first = new Set(batchesAtOnce(pool, KEPT_MAX, GROWN_BYTES / 2));
  for (let i = 0; i < 200; i++) {
    for (const builder of batchesAtOnce(pool, KEPT_MAX, i % 4 === 0 ? GROWN_BYTES / 2 : 10))
      expect(first.has(builder)).toBe(true);
  }
});

test('production with as many batches at once as before makes no new builders, however long it goes on', () => {
  const pool = newPool();
  const first = new Set(batchesAtOnce(pool, KEPT_MAX, 10));
  for (let i = 0; i < 200; i++) for (const builder of batchesAtOnce(pool, KEPT_MAX, 10)) expect(first.has(builder)).toBe(true);
});

test('a burst now and then finds its builders again', () => {
  const pool = newPool();
  const first = new Set(batchesAtOnce(pool, KEPT_MAX, 10));
  for (let i = 0; i < 200; i++) {
    for (let j = 0; j < 2 * KEPT_MAX; j++) batchesAtOnce(pool, 1, 10);
    for (const builder of batchesAtOnce(pool, KEPT_MAX, 10)) expect(first.has(builder)).toBe(true);
  }
});

function newPool(): BuilderPool {
  return new BuilderPool({ initialBytes: INITIAL_BYTES, batchBytes: GROWN_BYTES, keptMax: KEPT_MAX });
}

/** Makes so many batches of one record each, all of them under way at once, and says which builders they took. */
function batchesAtOnce(pool: BuilderPool, count: number, valueBytes: number): RecordBatchBuilder[] {
  const builders = Array.from({ length: count }, () => pool.take());
  for (const builder of builders) fill(builder, valueBytes);
  for (const builder of builders) pool.giveBack(builder);
  return builders;
}

function fill(builder: RecordBatchBuilder, valueBytes: number): void {
  builder.appendRecord({ timestamp: 0, value: Buffer.alloc(valueBytes) });
}
