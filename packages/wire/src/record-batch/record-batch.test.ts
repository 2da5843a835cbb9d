import { CorruptDataError, NO_HEADERS, type Headers } from '@millrace/core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Compression } from '../compression/compression.ts';
import { loadCodecs } from '../compression/load-codecs.ts';
import { patchBaseOffset } from './batch-header.ts';
import { RecordBatchBuilder, recordBytesMax, type AppendedRecord } from './record-batch-builder.ts';
import { RecordBatchIterator } from './record-batch-iterator.ts';
import { RecordCursor } from './record-cursor.ts';

interface ReadRecord {
  offset: number;
  timestamp: number;
  key: Buffer | undefined;
  value: Buffer | undefined;
  headers: Headers;
}

function readAll(records: Buffer): ReadRecord[] {
  const iterator = new RecordBatchIterator();
  const cursor = new RecordCursor({ decompressedBytesMax: 1 << 20 });
  const read: ReadRecord[] = [];
  iterator.open(records);
  while (iterator.next()) for (cursor.open(records, iterator.header); cursor.next(); ) read.push(current(cursor));
  return read;
}

function current(cursor: RecordCursor): ReadRecord {
  const slice = (start: number, end: number) => (start < 0 ? undefined : Buffer.from(cursor.buffer.subarray(start, end)));
  return {
    offset: cursor.offset,
    timestamp: cursor.timestamp,
    key: slice(cursor.keyStart, cursor.keyEnd),
    value: slice(cursor.valueStart, cursor.valueEnd),
    headers: cursor.headers().map(({ key, value }) => ({ key, value: value && Buffer.from(value) })),
  };
}

const bytes = (maxLength: number) =>
  fc.option(
    fc.uint8Array({ maxLength }).map((array) => Buffer.from(array)),
    { nil: undefined },
  );
const record: fc.Arbitrary<AppendedRecord> = fc.record({
  timestamp: fc.oneof(fc.integer({ min: 0, max: 2_000_000_000_000 }), fc.integer({ min: 0, max: 2 ** 52 })),
  key: bytes(200),
  value: bytes(2000),
  headers: fc.oneof(
    fc.constant(NO_HEADERS),
    fc.array(fc.record({ key: fc.string({ maxLength: 20, unit: 'binary' }), value: bytes(30) }), { maxLength: 5 }),
  ),
});
const compressions: Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

beforeAll(loadCodecs);

describe('RecordBatchBuilder and RecordCursor', () => {
  it.each(compressions)('give back what was appended, with compression %s', (compression) => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 40 }), (records) => {
        const builder = new RecordBatchBuilder(61);
        for (const item of records) builder.appendRecord(item);
        expect(readAll(builder.finish({ compression }))).toEqual(
          records.map((item, offset) => ({ ...item, offset, headers: item.headers ?? [] })),
        );
      }),
      { numRuns: compression === 'none' ? 200 : 40 },
    );
  });

  it('stamp the header with identity, timestamps and offsets', () => {
    const builder = new RecordBatchBuilder();
    for (const timestamp of [5000, 3000, 9000]) builder.appendRecord({ timestamp, value: Buffer.from('v') });
    const batch = builder.finish({ producerId: 2 ** 40 + 7, producerEpoch: 3, baseSequence: 11, transactional: true });
    patchBaseOffset(batch, 0, 2 ** 33 + 1, 4);
    const iterator = new RecordBatchIterator();
    iterator.open(batch);
    expect(iterator.next()).toBe(true);
    expect(iterator.header).toMatchObject({
      baseOffset: 2 ** 33 + 1,
      lastOffset: 2 ** 33 + 3,
      partitionLeaderEpoch: 4,
      baseTimestamp: 5000,
      maxTimestamp: 9000,
      producerId: 2 ** 40 + 7,
      producerEpoch: 3,
      baseSequence: 11,
      recordCount: 3,
      isTransactional: true,
      isControl: false,
    });
    expect(readAll(batch).map((read) => [read.offset, read.timestamp])).toEqual([
      [2 ** 33 + 1, 5000],
      [2 ** 33 + 2, 3000],
      [2 ** 33 + 3, 9000],
    ]);
  });

  it.each(compressions)('finish again with another identity and the same records, with compression %s', (compression) => {
    const builder = new RecordBatchBuilder();
    for (let i = 0; i < 50; i++) builder.appendRecord({ timestamp: i, value: Buffer.from(`value ${i}`) });
    const first = readAll(builder.finish({ compression, producerId: 1, producerEpoch: 0, baseSequence: 100 }));
    const again = builder.finish({ compression, producerId: 2, producerEpoch: 9, baseSequence: 0 });
    const iterator = new RecordBatchIterator();
    iterator.open(again);
    iterator.next();
    expect(iterator.header).toMatchObject({ producerId: 2, producerEpoch: 9, baseSequence: 0 });
    expect(readAll(again)).toEqual(first);
  });

  it('put aside and taken over by another builder, finish as if nothing had been', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        const identity = { producerId: 5, producerEpoch: 1, baseSequence: 7, transactional: true };
        const builder = new RecordBatchBuilder(61);
        for (const item of records) builder.appendRecord(item);
        const aside = Buffer.from(builder.finish());
        const other = new RecordBatchBuilder(61);
        other.appendRecord({ timestamp: 1, value: Buffer.from('of another batch') });
        other.load(aside);
        expect([other.count, other.sizeInBytes]).toEqual([records.length, builder.sizeInBytes]);
        expect(other.finish(identity)).toEqual(builder.finish(identity));
      }),
    );
  });

  it('take over nothing that is not the whole batch as it was', () => {
    const builder = new RecordBatchBuilder();
    for (let i = 0; i < 9; i++) builder.appendRecord({ timestamp: i, value: Buffer.from(`value ${i}`) });
    const whole = Buffer.from(builder.finish());
    const damaged = Buffer.from(whole);
    damaged[whole.length - 2] = (damaged[whole.length - 2] as number) ^ 1;
    const other = new RecordBatchBuilder();
    for (const bytes of [damaged, whole.subarray(0, -1), Buffer.concat([whole, whole]), builder.finish({ compression: 'gzip' })])
      expect(() => other.load(bytes)).toThrow(CorruptDataError);
    expect(other.isEmpty).toBe(true);
  });

  it('start empty again after a reset, with the buffer kept', () => {
    const builder = new RecordBatchBuilder(100);
    builder.appendRecord({ timestamp: 9, value: Buffer.alloc(1000, 1) });
    builder.finish({ compression: 'gzip' });
    builder.reset();
    expect([builder.isEmpty, builder.count, builder.sizeInBytes]).toEqual([true, 0, 61]);
    builder.appendRecord({ timestamp: 1, key: Buffer.from('k') });
    expect(readAll(builder.finish({ compression: 'gzip' }))).toMatchObject([{ timestamp: 1, offset: 0, value: undefined }]);
  });

  it('refuse to finish a batch without records', () => {
    expect(() => new RecordBatchBuilder().finish()).toThrow(/without records/);
  });

  it('never add more bytes for a record than recordBytesMax says', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 10 }), (records) => {
        const builder = new RecordBatchBuilder();
        for (const item of records) {
          const before = builder.sizeInBytes;
          builder.appendRecord(item);
          const most = recordBytesMax(item.key?.length ?? -1, item.value?.length ?? -1, item.headers);
          expect(builder.sizeInBytes - before).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it('treat null like undefined', () => {
    const builder = new RecordBatchBuilder();
    builder.appendRecord({ timestamp: 1, key: null as unknown as undefined, value: null as unknown as undefined });
    expect(readAll(builder.finish())).toMatchObject([{ key: undefined, value: undefined }]);
  });

  it('take the timestamp of the broker when the batch carries log append time', () => {
    const builder = new RecordBatchBuilder();
    for (const timestamp of [1, 2]) builder.appendRecord({ timestamp });
    const batch = builder.finish();
    batch.writeInt16BE(0x08, 21);
    batch.writeInt32BE(77, 39);
    const iterator = new RecordBatchIterator({ checkCrc: false });
    const cursor = new RecordCursor();
    iterator.open(batch);
    iterator.next();
    cursor.open(batch, iterator.header);
    while (cursor.next()) expect(cursor.timestamp).toBe(77);
  });

  it('pass over records below the wanted offset', () => {
    const builder = new RecordBatchBuilder();
    for (let i = 0; i < 5; i++) builder.appendRecord({ timestamp: i });
    const batch = builder.finish();
    const iterator = new RecordBatchIterator();
    iterator.open(batch);
    iterator.next();
    const cursor = new RecordCursor();
    const offsets: number[] = [];
    for (cursor.open(batch, iterator.header, 3); cursor.next(); ) offsets.push(cursor.offset);
    expect(offsets).toEqual([3, 4]);
  });
});

describe('hostile record sets', () => {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < 3; i++) {
    builder.appendRecord({
      timestamp: i,
      key: Buffer.from(`k${i}`),
      value: Buffer.from('v'),
      headers: [{ key: 'h', value: Buffer.from('x') }],
    });
  }
  const good = Buffer.from(builder.finish());

  it('stop cleanly wherever the record set is cut', () => {
    const two = Buffer.concat([good, good]);
    for (let length = 0; length < two.length; length++) {
      const iterator = new RecordBatchIterator();
      iterator.open(two.subarray(0, length));
      let batches = 0;
      while (iterator.next()) batches++;
      expect(batches).toBe(length < good.length ? 0 : 1);
      expect(iterator.position).toBe(batches * good.length);
    }
  });

  it('detect every flipped bit that the checksum covers', () => {
    for (let bit = 21 * 8; bit < good.length * 8; bit++) {
      const broken = Buffer.from(good);
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => readAll(broken)).toThrow(CorruptDataError);
    }
  });

  it('throw nothing but CorruptDataError when bytes are changed and the checksum is not looked at', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
        const broken = Buffer.from(good);
        for (const [position, byte] of changes) broken[position] = byte;
        onlyCorrupt(() => readUnchecked(broken));
      }),
      { numRuns: 3000 },
    );
  });

  it('throw nothing but CorruptDataError for arbitrary records behind a plausible header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(4), fc.nat(20), (garbage, compression, count) => {
        const batch = Buffer.concat([good.subarray(0, 61), garbage]);
        batch.writeInt32BE(batch.length - 12, 8);
        batch.writeInt16BE(compression, 21);
        batch.writeInt32BE(count, 23);
        batch.writeInt32BE(count, 57);
        onlyCorrupt(() => readUnchecked(batch));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a batch length below the header', (b: Buffer) => b.writeInt32BE(20, 8)],
    ['a negative batch length', (b: Buffer) => b.writeInt32BE(-1, 8)],
    ['an old record format', (b: Buffer) => b.writeInt8(1, 16)],
    ['a negative base offset', (b: Buffer) => b.writeInt32BE(-1, 0)],
    ['a negative record count', (b: Buffer) => b.writeInt32BE(-1, 57)],
    ['more records than offsets', (b: Buffer) => b.writeInt32BE(4, 57)],
    [
      'more records than bytes',
      (b: Buffer) => {
        b.writeInt32BE(0x7fffff00, 23);
        b.writeInt32BE(0x7fffff00, 57);
      },
    ],
    ['fewer records than bytes', (b: Buffer) => b.writeInt32BE(2, 57)],
    ['an unknown compression', (b: Buffer) => b.writeInt16BE(5, 21)],
    ['a record that crosses the end', (b: Buffer) => b.writeUInt8(0x7e, 61)],
    ['a record of negative length', (b: Buffer) => b.writeUInt8(0x01, 61)],
  ])('reject %s', (_what, damage) => {
    const broken = Buffer.from(good);
    damage(broken);
    expect(() => readUnchecked(broken)).toThrow(CorruptDataError);
  });
});

function readUnchecked(records: Buffer): void {
  const iterator = new RecordBatchIterator({ checkCrc: false });
  const cursor = new RecordCursor({ decompressedBytesMax: 1 << 20 });
  iterator.open(records);
  while (iterator.next()) for (cursor.open(records, iterator.header); cursor.next(); ) cursor.headers();
}

function onlyCorrupt(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof CorruptDataError)) throw error;
  }
}
