import { NO_HEADERS } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patchBaseOffset } from './batch-header.ts';
import { CommittedBatches, type AbortedTransaction, type IsolationLevel } from './committed-batches.ts';
import { encodeControlBatch } from './control-marker.ts';
import { RecordBatchBuilder } from './record-batch-builder.ts';
import { RecordCursor } from './record-cursor.ts';

/** A partition's log in which everything that a transaction can do is one call, and what must be visible is known by construction. */
class ModelLog {
  readonly #batches: { base: number; bytes: Buffer }[] = [];
  readonly #open = new Map<number, { first: number; offsets: number[] }>();
  readonly aborted: (AbortedTransaction & { lastOffset: number })[] = [];
  readonly #hidden = new Set<number>();
  readonly #data: number[] = [];
  end = 0;

  append(producerId: number, count: number, transactional: boolean): void {
    const builder = new RecordBatchBuilder(128);
    // The key imitates an abort marker: only the batch attribute may be believed.
    for (let i = 0; i < count; i++) builder.append(1, Buffer.alloc(4), 0, 4, Buffer.alloc(1), 0, 1, NO_HEADERS);
    const offsets = Array.from({ length: count }, (_, i) => this.end + i);
    this.#data.push(...offsets);
    if (transactional) {
      const transaction = this.#open.get(producerId) ?? { first: this.end, offsets: [] };
      transaction.offsets.push(...offsets);
      this.#open.set(producerId, transaction);
    }
    this.#add(Buffer.from(builder.finish({ producerId, producerEpoch: 0, baseSequence: 0, transactional })), count);
  }

  finish(producerId: number, marker: 'commit' | 'abort'): void {
    const transaction = this.#open.get(producerId);
    if (transaction === undefined) return;
    this.#open.delete(producerId);
    if (marker === 'abort') {
      this.aborted.push({ producerId, firstOffset: transaction.first, lastOffset: this.end });
      for (const offset of transaction.offsets) this.#hidden.add(offset);
    }
    this.#add(encodeControlBatch({ marker, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1 }), 1);
  }

  /** A batch whose records compaction removed; it keeps its offsets. */
  appendEmpty(producerId: number, offsets: number, control: boolean): void {
    const builder = new RecordBatchBuilder(128);
    builder.appendRecord({ timestamp: 1 });
    const header = Buffer.from(builder.finish({ producerId, transactional: control, control }).subarray(0, 61));
    header.writeInt32BE(61 - 12, 8);
    header.writeInt32BE(offsets - 1, 23);
    header.writeInt32BE(0, 57);
    this.#add(header, offsets);
  }

  #add(bytes: Buffer, offsets: number): void {
    patchBaseOffset(bytes, 0, this.end, 0);
    this.#batches.push({ base: this.end, bytes });
    this.end += offsets;
  }

  /** What a broker serves: from the batch that contains the offset, cut at a byte limit but never inside the first batch. */
  fetch(fetchOffset: number, bytesMax: number): { records: Buffer; abortedTransactions: AbortedTransaction[] } {
    const next = this.#batches.findIndex(({ base }) => base > fetchOffset);
    const first = (next === -1 ? this.#batches.length : next) - 1;
    const served = this.#batches.slice(first);
    const records = Buffer.concat(served.map(({ bytes }) => bytes)).subarray(0, Math.max(bytesMax, served[0]?.bytes.length ?? 0));
    return { records, abortedTransactions: this.aborted.filter(({ lastOffset }) => lastOffset >= fetchOffset) };
  }

  /** Offsets that a consumer of the whole log must see. Transactions that are still open must not be in it. */
  visible(from: number, isolationLevel: IsolationLevel): number[] {
    return this.#data.filter((offset) => offset >= from && (isolationLevel === 'read_uncommitted' || !this.#hidden.has(offset)));
  }

  finishAll(): void {
    for (const producerId of [...this.#open.keys()]) this.finish(producerId, 'abort');
  }
}

function consume(log: ModelLog, from: number, isolationLevel: IsolationLevel, bytesMax: number): number[] {
  const batches = new CommittedBatches({ checkCrc: false });
  const cursor = new RecordCursor();
  const offsets: number[] = [];
  let position = from;
  while (position < log.end) {
    const { records, abortedTransactions } = log.fetch(position, bytesMax);
    const aborted = isolationLevel === 'read_committed' ? abortedTransactions : undefined;
    batches.open({ records, fetchOffset: position, isolationLevel, abortedTransactions: aborted });
    while (batches.next()) for (cursor.open(records, batches.header, position); cursor.next(); ) offsets.push(cursor.offset);
    expect(batches.nextPosition).toBeGreaterThan(position);
    position = batches.nextPosition;
  }
  expect(position).toBe(log.end);
  return offsets;
}

type Step = ['append' | 'plain' | 'commit' | 'abort' | 'empty' | 'empty control', number, number];
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom<Step[0]>('append', 'append', 'plain', 'commit', 'abort', 'empty', 'empty control'),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 1, max: 4 }),
);

function play(steps: readonly Step[]): ModelLog {
  const log = new ModelLog();
  for (const [kind, producerId, count] of steps) {
    if (kind === 'append') log.append(producerId, count, true);
    else if (kind === 'plain') log.append(99, count, false);
    else if (kind === 'empty') log.appendEmpty(98, count, false);
    else if (kind === 'empty control') log.appendEmpty(97, 1, true);
    else log.finish(producerId, kind);
  }
  log.finishAll();
  return log;
}

describe('CommittedBatches', () => {
  it('show exactly the committed records, wherever reading starts and fetches are cut', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.nat(),
        fc.constantFrom(1, 100, 300, 2000, 1 << 20),
        (steps, start, bytesMax) => {
          const log = play(steps);
          const from = log.end === 0 ? 0 : start % log.end;
          for (const isolationLevel of ['read_committed', 'read_uncommitted'] as const) {
            expect(consume(log, from, isolationLevel, bytesMax)).toEqual(log.visible(from, isolationLevel));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('hide two transactions of one producer that were aborted one after the other', () => {
    const log = play([
      ['append', 1, 2],
      ['abort', 1, 1],
      ['append', 1, 2],
      ['abort', 1, 1],
      ['append', 1, 1],
      ['commit', 1, 1],
    ]);
    expect(consume(log, 0, 'read_committed', 1 << 20)).toEqual([6]);
  });

  it('hide a transaction whose abort marker lies beyond the fetched bytes', () => {
    const log = play([
      ['append', 1, 1],
      ['append', 1, 1],
      ['abort', 1, 1],
    ]);
    expect(consume(log, 0, 'read_committed', 1)).toEqual([]);
  });

  it('sort the aborted transactions, which brokers list by marker', () => {
    const log = play([
      ['append', 1, 1],
      ['append', 2, 1],
      ['abort', 2, 1],
      ['append', 1, 1],
      ['abort', 1, 1],
    ]);
    expect(log.aborted.map(({ firstOffset }) => firstOffset)).toEqual([1, 0]);
    expect(consume(log, 0, 'read_committed', 1 << 20)).toEqual([]);
  });

  it('tell that offsets are missing: in front of a batch, between two, within one', () => {
    const batchOf = (baseOffset: number, count: number) => {
      const builder = new RecordBatchBuilder(128);
      for (let i = 0; i < count; i++) builder.appendRecord({ timestamp: 1 });
      const bytes = Buffer.from(builder.finish());
      patchBaseOffset(bytes, 0, baseOffset, 0);
      return bytes;
    };
    const gapsIn = (fetchOffset: number, ...batches: readonly Buffer[]) => {
      const walk = new CommittedBatches({ checkCrc: false });
      walk.open({ records: Buffer.concat(batches), fetchOffset, isolationLevel: 'read_uncommitted' });
      while (walk.next());
      return walk.hasGaps;
    };
    const first = batchOf(0, 2);
    const second = batchOf(2, 3);
    const third = batchOf(5, 1);
    expect(gapsIn(0, first, second, third)).toBe(false);
    expect(gapsIn(1, first, second)).toBe(false);
    expect(gapsIn(1, second)).toBe(true);
    expect(gapsIn(0, first, third)).toBe(true);
    // Compaction keeps the offsets of a batch that it takes records from.
    const compacted = batchOf(2, 1);
    compacted.writeInt32BE(2, 23);
    expect(gapsIn(2, compacted, third)).toBe(true);
  });

  it('tell that nothing was read when the fetch limit cut the first batch', () => {
    const log = play([['plain', 1, 4]]);
    const batches = new CommittedBatches();
    batches.open({ records: log.fetch(0, 1 << 20).records.subarray(0, 70), fetchOffset: 0, isolationLevel: 'read_uncommitted' });
    expect([batches.next(), batches.bytesRead, batches.nextPosition]).toEqual([false, 0, 0]);
  });
});
