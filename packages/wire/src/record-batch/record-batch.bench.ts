import { bench, describe } from 'vitest';
import { RecordBatchBuilder } from './record-batch-builder.ts';
import { RecordBatchIterator } from './record-batch-iterator.ts';
import { RecordCursor } from './record-cursor.ts';

const RECORDS = 10_000;
const key = Buffer.alloc(16, 'k');
const value = Buffer.alloc(100, 'v');

function append(builder: RecordBatchBuilder): Buffer {
  builder.reset();
  for (let i = 0; i < RECORDS; i++) builder.append(1_700_000_000_000 + i, key, 0, 16, value, 0, 100);
  return builder.finish();
}

describe(`one batch of ${RECORDS} records of 16 + 100 bytes`, () => {
  const builder = new RecordBatchBuilder(2 << 20);
  const batch = Buffer.from(append(builder));
  const cursor = new RecordCursor();
  const seen = { bytes: 0 };

  bench('append and finish', () => {
    append(builder);
  });

  for (const checkCrc of [true, false]) {
    const iterator = new RecordBatchIterator({ checkCrc });
    bench(`walk ${checkCrc ? 'with' : 'without'} checksum`, () => {
      iterator.open(batch);
      while (iterator.next()) for (cursor.open(batch, iterator.header); cursor.next(); ) seen.bytes += cursor.valueEnd;
    });
  }
});
