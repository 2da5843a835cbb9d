import { readControlMarker, RecordBatchBuilder, RecordBatchIterator, RecordCursor, type RecordBatchHeader } from '@millrace/wire';
import type { OperationOf } from '../operation.ts';
import type { ScriptProducer } from '../script-producer.ts';
import type { Session } from '../session.ts';

/** All records are of the same minute, which is past. */
const TIMESTAMP = 1_750_000_000_000;
const IN_FUTURE_MS = 100_000_000_000;

interface Batch {
  readonly sequence: number;
  readonly count: number;
}

/** The bytes of a batch as the operation wants it, flaw included. */
export function batchFor(session: Session, producer: ScriptProducer, operation: OperationOf<'produce'>, batch: Batch): Buffer {
  const { flaw, transactional, epochDelta, gzip } = operation;
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < batch.count; i++) {
    const number = session.written++;
    const key = flaw === 'noKey' ? undefined : Buffer.from(`k${number % 3}`);
    const timestamp = TIMESTAMP + number * 10 + (flaw === 'future' ? IN_FUTURE_MS : 0);
    builder.appendRecord({ timestamp, key, value: number % 7 === 6 ? undefined : Buffer.from(`v${number}`) });
  }
  const identity = producer.isIdempotent
    ? {
        producerId: producer.producerId,
        producerEpoch: Math.max(-1, producer.epoch + epochDelta),
        baseSequence: producer.producerId < 0 ? -1 : batch.sequence,
      }
    : {};
  const compression = gzip ? 'gzip' : 'none';
  return spoil(Buffer.from(builder.finish({ ...identity, transactional, compression, control: flaw === 'control' })), flaw);
}

function spoil(bytes: Buffer, flaw: OperationOf<'produce'>['flaw']): Buffer {
  switch (flaw) {
    case 'checksum':
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 0x10, bytes.length - 2);
      return bytes;
    case 'twoBatches':
      return Buffer.concat([bytes, bytes]);
    case 'empty':
      return Buffer.alloc(0);
    case 'cut':
      return bytes.subarray(0, bytes.length - 3);
    case 'baseOffset':
      bytes.writeBigInt64BE(7n, 0);
      return bytes;
    default:
      return bytes;
  }
}

/** Every batch of a record set, whole ones only, as text. */
export function textOf(session: Session, records: Buffer | undefined): string {
  if (records === undefined) return 'null';
  const iterator = new RecordBatchIterator();
  iterator.open(records);
  const texts: string[] = [];
  while (iterator.next()) texts.push(batchText(session, records, iterator.header));
  return `${records.length}B ${texts.join(' ')}`;
}

function batchText(session: Session, records: Buffer, header: RecordBatchHeader): string {
  const { baseOffset, lastOffset, producerId, producerEpoch, baseSequence, partitionLeaderEpoch } = header;
  const producer = producerId < 0 ? '' : `${session.producerSymbol(producerId)}e${producerEpoch}#${baseSequence}`;
  const kind = header.isControl ? readControlMarker(records, header) : header.isTransactional ? 'txn' : '';
  const where = `${baseOffset}-${lastOffset}${partitionLeaderEpoch === 0 ? '' : `L${partitionLeaderEpoch}`}`;
  return `[${[where, kind, producer, header.isControl ? '' : recordsText(records, header)].filter(Boolean).join(' ')}]`;
}

function recordsText(records: Buffer, header: RecordBatchHeader): string {
  const cursor = new RecordCursor();
  cursor.open(records, header);
  const texts: string[] = [];
  while (cursor.next()) {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd } = cursor;
    const key = keyStart < 0 ? '' : buffer.toString('utf8', keyStart, keyEnd);
    texts.push(`${key}=${valueStart < 0 ? 'null' : buffer.toString('utf8', valueStart, valueEnd)}`);
  }
  return texts.join(',');
}
