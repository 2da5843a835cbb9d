import type { Header } from '@millrace/core';
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

function append(log: TopicLog, { key, value, timestamp, headers }: Written): void {
  const keyBytes = Buffer.from(key ?? []);
  const valueBytes = Buffer.from(value ?? []);
  log.append(
    timestamp,
    keyBytes,
    key === undefined ? -1 : 0,
    keyBytes.length,
    valueBytes,
    value === undefined ? -1 : 0,
    valueBytes.length,
    headers,
  );
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
        const byFetch = log.fetch(0, log.visibleEnd).batches.map((batch) => {
          cursor.open(batch.buffer, batch.header);
          expect(cursor.next()).toBe(true);
          return read(cursor);
        });
        expect(byOffset.map(text)).toEqual(records.map(text));
        expect(byFetch.map(text)).toEqual(records.map(text));
      }),
      { numRuns: 50 },
    );
  });

  it('leaves records of aborted transactions out of fetches, but not their offsets', () => {
    const log = new TopicLog('t');
    for (let i = 0; i < 3; i++) append(log, { key: undefined, value: new Uint8Array([i]), timestamp: 0, headers: [] });
    log.abort(1);
    log.commit();
    const fetched = log.fetch(0, 3);
    expect(fetched.batches.map(({ header }) => header.baseOffset)).toEqual([0, 2]);
    expect(fetched.nextOffset).toBe(3);
  });
});
