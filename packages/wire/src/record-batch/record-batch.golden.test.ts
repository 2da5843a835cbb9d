import { beforeAll, describe, expect, it } from 'vitest';
import type { Compression } from '../compression/compression.ts';
import { loadCodecs } from '../compression/load-codecs.ts';
import { readFixture } from '../fixtures/read-fixture.ts';
import { encodeControlBatch, readControlMarker } from './control-marker.ts';
import { RecordBatchBuilder } from './record-batch-builder.ts';
import { RecordBatchIterator } from './record-batch-iterator.ts';
import { RecordCursor } from './record-cursor.ts';

interface GoldenRecord {
  readonly timestamp: number;
  readonly key: string | null;
  readonly value?: string | null;
  readonly repeated?: { readonly text: string; readonly times: number };
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
}

interface GoldenBatch {
  readonly name: string;
  readonly compression: Compression;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  readonly logAppendTime: number;
  readonly hex: string;
  readonly records: readonly GoldenRecord[];
}

interface GoldenMarker {
  readonly name: string;
  readonly marker: 'commit' | 'abort';
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  readonly timestamp: number;
  readonly hex: string;
}

const all = readFixture<GoldenBatch | GoldenMarker>('record-batches');
const batches = all.filter((batch): batch is GoldenBatch => 'records' in batch);
const markers = all.filter((batch): batch is GoldenMarker => 'marker' in batch);

beforeAll(loadCodecs);

function recordValue(record: GoldenRecord): string | null {
  return record.repeated === undefined ? (record.value ?? null) : record.repeated.text.repeat(record.repeated.times);
}

function read(bytes: Buffer): { timestamp: number; key: string | null; value: string | null; headers: unknown }[] {
  const iterator = new RecordBatchIterator();
  const cursor = new RecordCursor();
  const text = (start: number, end: number) => (start < 0 ? null : cursor.buffer.toString('utf8', start, end));
  const records = [];
  iterator.open(bytes);
  while (iterator.next()) {
    for (cursor.open(bytes, iterator.header); cursor.next(); ) {
      records.push({
        timestamp: cursor.timestamp,
        key: text(cursor.keyStart, cursor.keyEnd),
        value: text(cursor.valueStart, cursor.valueEnd),
        headers: cursor
          .headers()
          .map(({ key, value }) => ({ key, value: value === undefined ? null : Buffer.from(value).toString() })),
      });
    }
  }
  return records;
}

function build(batch: GoldenBatch): Buffer {
  const bytes = (text: string | null) => (text === null ? undefined : Buffer.from(text));
  const builder = new RecordBatchBuilder();
  for (const record of batch.records) {
    const headers = record.headers.map(({ key, value }) => ({ key, value: bytes(value) }));
    builder.appendRecord({ timestamp: record.timestamp, key: bytes(record.key), value: bytes(recordValue(record)), headers });
  }
  return builder.finish(batch);
}

describe("record batches of Kafka's own classes", () => {
  it.each(batches)('$name, $compression: are read to the records that were written', (batch) => {
    expect(read(Buffer.from(batch.hex, 'hex'))).toEqual(
      batch.records.map((record) => ({
        timestamp: batch.logAppendTime === -1 ? record.timestamp : batch.logAppendTime,
        key: record.key,
        value: recordValue(record),
        headers: record.headers,
      })),
    );
  });

  it.each(batches)('$name, $compression: have the header fields they were written with', (batch) => {
    const iterator = new RecordBatchIterator();
    iterator.open(Buffer.from(batch.hex, 'hex'));
    expect(iterator.next()).toBe(true);
    expect(iterator.header).toMatchObject({
      baseOffset: 0,
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      isTransactional: batch.transactional,
      hasLogAppendTime: batch.logAppendTime !== -1,
      recordCount: batch.records.length,
      lastOffsetDelta: batch.records.length - 1,
    });
  });

  const uncompressed = batches.filter(({ compression, logAppendTime }) => compression === 'none' && logAppendTime === -1);
  it.each(uncompressed)('$name: are built byte for byte', (batch) => {
    expect(build(batch).toString('hex')).toBe(batch.hex);
  });

  it.each(batches)('$name, $compression: are read back alike when built here', (batch) => {
    const own = read(build(batch)).map(({ timestamp, ...rest }) => (batch.logAppendTime === -1 ? { timestamp, ...rest } : rest));
    const java = read(Buffer.from(batch.hex, 'hex')).map(({ timestamp, ...rest }) =>
      batch.logAppendTime === -1 ? { timestamp, ...rest } : rest,
    );
    expect(own).toEqual(java);
  });
});

describe("control batches of Kafka's own classes", () => {
  it.each(markers)('$name: is recognised', ({ hex, marker }) => {
    const bytes = Buffer.from(hex, 'hex');
    const iterator = new RecordBatchIterator();
    iterator.open(bytes);
    iterator.next();
    expect(iterator.header.isControl).toBe(true);
    expect(readControlMarker(bytes, iterator.header)).toBe(marker);
  });

  it.each(markers)('$name: is encoded byte for byte', ({ hex, ...fields }) => {
    expect(encodeControlBatch(fields).toString('hex')).toBe(hex);
  });
});
