import { type ByteBuffer, CorruptDataError } from '@millrace/core';
import type { HeldValue, ValueCodec } from '../../overlay/value-codec.ts';

/** Kafka's marker for lists whose items bring their lengths: `SerializationStrategy.VARIABLE_SIZE`. */
const VARIABLE_SIZE = 1;
const HEADER_BYTES = 5;

/**
 * Writes the values of one side, as Kafka Streams' outer join store does:
 * `[1][count, int32]`, per value `[length, int32][1 for left, 0 for right][value]`; the length counts the side's byte.
 *
 * Source: Kafka `ListSerializer` over byte arrays, Kafka Streams `LeftOrRightValueSerializer`.
 */
export function writeListValue<V>(values: readonly HeldValue[], isLeft: boolean, codec: ValueCodec<V>, target: ByteBuffer): void {
  target.writeUint8(VARIABLE_SIZE);
  target.writeInt32(values.length);
  for (const value of values) {
    const lengthAt = target.length;
    target.writeInt32(0);
    target.writeUint8(isLeft ? 1 : 0);
    codec.write(value, target);
    target.bytes.writeInt32BE(target.length - lengthAt - 4, lengthAt);
  }
}

/** Begins a list that has the values of another one, if one is given, and one more, which is to be written behind it. */
export function beginListValue(target: ByteBuffer, source?: Buffer, start = 0, end = 0): void {
  const startAt = target.length;
  target.writeUint8(VARIABLE_SIZE);
  target.writeInt32(1);
  if (source === undefined) return;
  target.bytes.writeInt32BE(source.readInt32BE(start + 1) + 1, startAt + 1);
  target.writeRange(source, start + HEADER_BYTES, end);
}

/** Reads what {@link writeListValue}, or Kafka Streams, has written. */
export function readListValue<V>(source: Buffer, start: number, end: number, codec: ValueCodec<V>): HeldValue[] {
  const values: HeldValue[] = [];
  if (end - start < HEADER_BYTES || source[start] !== VARIABLE_SIZE) throw corrupt();
  const count = source.readInt32BE(start + 1);
  let at = start + HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    if (at + 4 > end) throw corrupt();
    const length = source.readInt32BE(at);
    at += 4;
    if (length < 1 || at + length > end) throw corrupt();
    values.push(codec.holdAt(source, at + 1, at + length));
    at += length;
  }
  return values;
}

function corrupt(): CorruptDataError {
  return new CorruptDataError('LIST_VALUE_INVALID', 'the value of an outer join store is not a list in Kafka Streams format');
}
