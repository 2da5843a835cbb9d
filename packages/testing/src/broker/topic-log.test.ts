import type { Header } from '@millrace/core';
import type { FetchedBatch } from '@millrace/client';
import { RecordCursor } from '@millrace/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicLog } from './topic-log.ts';

interface Written {
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly timestamp: number;
  readonly headers: readonly Header[];
}

const bytes = fc.option(fc.uint8Array({ maxLength: 100 }), { nil: undefined });
const record: fc.Arbitrary<Written> = fc.record({
  key: bytes,
  value: fc.oneof(bytes, fc.constantFrom(new Uint8Array(9000).fill(7))),
  timestamp: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  headers: fc.array(fc.record({ key: fc.string(), value: bytes }), { maxLength: 3 }),
});

function append(log: TopicLog, record: Written): void {
  log.append(...fields(record));
}

function writeInPlace(log: TopicLog, { key, value, timestamp, headers }: Written): void {
  const target = log.begin(timestamp);
  if (key !== undefined) target.writeBytes(key);
  log.endKey(key !== undefined);
  if (value !== undefined) target.writeBytes(value);
  log.end(value !== undefined, headers);
}

function fields({ key, value, timestamp, headers }: Written): Parameters<TopicLog['append']> {
  const keyBytes = Buffer.from(key ?? []);
  const valueBytes = Buffer.from(value ?? []);
  const keyStart = key === undefined ? -1 : 0;
  const valueStart = value === undefined ? -1 : 0;
  return [timestamp, keyBytes, keyStart, keyBytes.length, valueBytes, valueStart, valueBytes.length, headers];
}

function read(cursor: RecordCursor): Written {
  const range = (start: number, end: number): Uint8Array | undefined =>
    start < 0 ? undefined : new Uint8Array(cursor.buffer.subarray(start, end));
  const headers = cursor
    .headers()
    .map(({ key, value }) => ({ key, value: value === undefined ? undefined : new Uint8Array(value) }));
  return {
    key: range(cursor.keyStart, cursor.keyEnd),
    value: range(cursor.valueStart, cursor.valueEnd),
    timestamp: cursor.timestamp,
    headers,
  };
}

/** Compares quickly and prints shortly. */
function text({ key, value, timestamp, headers }: Written): string {
  const hex = (part: Uint8Array | undefined): string => (part === undefined ? 'null' : Buffer.from(part).toString('hex'));
  return [hex(key), hex(value), timestamp, ...headers.map((header) => `${header.key}=${hex(header.value)}`)].join(' ');
}

/** The records of a fetch, offsets before them. */
function fetched(log: TopicLog, from: number, to: number): string[] {
  const cursor = new RecordCursor();
  const lines: string[] = [];
  for (const { buffer, header, recordsStart, recordsEnd } of log.fetch(from, to).batches) {
    expect([header.position + 61, header.position + header.sizeInBytes]).toEqual([recordsStart, recordsEnd]);
    cursor.open(buffer, header);
    while (cursor.next()) lines.push(`${cursor.offset} ${text(read(cursor))}`);
  }
  return lines;
}

describe('TopicLog', () => {
  it('gives back every record as the task reads it, by offset and by fetch', () => {
    const cursor = new RecordCursor();
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
        const log = new TopicLog('t');
        for (const one of records) append(log, one);
        log.commit();
        const byOffset = records.map((_, offset) => {
          log.seek(offset, cursor);
          return read(cursor);
        });
        expect(byOffset.map(text)).toEqual(records.map(text));
        const from = Math.floor(records.length / 2);
        expect(fetched(log, 0, records.length)).toEqual(records.map((one, offset) => `${offset} ${text(one)}`));
        expect(fetched(log, from, records.length)).toEqual(fetched(log, 0, records.length).slice(from));
        expect(fetched(log, 0, from)).toEqual(fetched(log, 0, records.length).slice(0, from));
      }),
      { numRuns: 50 },
    );
  });

  it('writes the same bytes whether key and value are given or written in place', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(record, fc.boolean()), { minLength: 1, maxLength: 60 }), (records) => {
        const given = new TopicLog('t');
        const inPlace = new TopicLog('t');
        for (const [one, isGivenUp] of records) {
          append(given, one);
          // A record that is begun and given up leaves nothing behind.
          if (isGivenUp) inPlace.begin(one.timestamp).writeUtf8('given up');
          writeInPlace(inPlace, one);
        }
        expect(fetched(inPlace, 0, records.length)).toEqual(fetched(given, 0, records.length));
      }),
    );
  });

  it('does not change what a fetch has handed out when a chunk grows', () => {
    const log = new TopicLog('t');
    const [small, large] = [3, 100_000].map((size) => ({
      key: undefined,
      value: new Uint8Array(size),
      timestamp: 1,
      headers: [],
    }));
    writeInPlace(log, small as Written);
    const before = log.fetch(0, 1).batches[0] as FetchedBatch;
    const bytes = Buffer.from(before.buffer.subarray(before.recordsStart, before.recordsEnd));
    writeInPlace(log, large as Written);
    expect(before.buffer.subarray(before.recordsStart, before.recordsEnd).equals(bytes)).toBe(true);
    expect(fetched(log, 0, 2)).toHaveLength(2);
  });

  it('leaves records of aborted transactions out of fetches, but not their offsets', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 20 }), (aborted) => {
        const log = new TopicLog('t');
        for (const [i, isAborted] of aborted.entries()) {
          const one = { key: undefined, value: new Uint8Array([i]), timestamp: i, headers: [] };
          if (isAborted) log.appendUncommitted(...fields(one));
          else append(log, one);
        }
        log.abort();
        const seen = fetched(log, 0, aborted.length).map((line) => Number.parseInt(line, 10));
        expect(seen).toEqual([...aborted.keys()].filter((i) => aborted[i] === false));
        expect(log.fetch(0, aborted.length).nextOffset).toBe(aborted.length);
      }),
    );
  });

  it('hands out many records as few batches', () => {
    const log = new TopicLog('t');
    for (let i = 0; i < 10_000; i++) append(log, { key: undefined, value: new Uint8Array(20), timestamp: i, headers: [] });
    log.commit();
    expect(fetched(log, 0, 10_000)).toHaveLength(10_000);
    expect(log.fetch(0, 10_000).batches.length).toBeLessThan(10);
  });
});
