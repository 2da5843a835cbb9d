import {
  type ByteBuffer,
  CorruptDataError,
  type Header,
  type Headers,
  NO_HEADERS,
  readInt64,
  type RecordContext,
} from '@millrace/core';
import type { HeldValue, ValueCodec } from '../../overlay/value-codec.ts';

/** Length that stands for an absent value. */
const ABSENT = -1;
/** Length that says that the old value is the prior one. */
const SAME_AS_PRIOR = -2;

/** What Kafka Streams counts for a record besides values, topic and headers: timestamp, offset, partition. */
const RECORD_BYTES = 20;

/**
 * What waits in a buffer: values, and which record they came with. Never changed.
 *
 * Format: `[timestamp, int64][offset, int64][topic][partition, int32][number of headers, int32][name, value]…[prior][old][new]`,
 * then the buffer time, int64. Texts and values have their length before them, an int32; that of an absent one is −1; that of
 * an old value equal to the prior one is −2.
 *
 * Source: Kafka Streams `BufferValue`, `ProcessorRecordContext`: version 3 of the changelog of `suppress`.
 */
export class BufferedRecord {
  readonly prior: HeldValue | undefined;
  readonly old: HeldValue | undefined;
  readonly value: HeldValue | undefined;
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: Headers;

  constructor(
    prior: HeldValue | undefined,
    old: HeldValue | undefined,
    value: HeldValue | undefined,
    { topic, partition, offset, timestamp, headers }: RecordOrigin,
  ) {
    this.prior = prior;
    this.old = old;
    this.value = value;
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.timestamp = timestamp;
    this.headers = headers;
  }

  /** The bytes of what the record has, as Kafka Streams counts them for the limits of a buffer; roughly, as values need not be bytes. */
  size<V>(values: ValueCodec<V>): number {
    let bytes = RECORD_BYTES + (this.topic?.length ?? 0) + (this.value === undefined ? 0 : values.size(this.value));
    if (this.old !== undefined) bytes += values.size(this.old);
    if (this.prior !== undefined && this.prior !== this.old) bytes += values.size(this.prior);
    for (const { key, value } of this.headers) bytes += key.length + (value?.length ?? 0);
    return bytes;
  }

  write<V>(values: ValueCodec<V>, bufferTime: number, target: ByteBuffer): void {
    target.writeInt64(this.timestamp);
    target.writeInt64(this.offset);
    writeText(this.topic ?? '', target);
    target.writeInt32(this.partition);
    target.writeInt32(this.headers.length);
    for (const { key, value } of this.headers) {
      writeText(key, target);
      target.writeInt32(value?.length ?? ABSENT);
      if (value !== undefined) target.writeBytes(value);
    }
    this.#writeValues(values, target);
    target.writeInt64(bufferTime);
  }

  #writeValues<V>(values: ValueCodec<V>, target: ByteBuffer): void {
    const priorAt = target.length;
    writeValue(this.prior, values, target);
    const oldAt = target.length;
    writeValue(this.old, values, target);
    const isSame = this.old !== undefined && target.bytes.compare(target.bytes, priorAt, oldAt, oldAt, target.length) === 0;
    if (isSame) {
      target.length = oldAt;
      target.writeInt32(SAME_AS_PRIOR);
    }
    writeValue(this.value, values, target);
  }

  /** Reads what `write` has written. */
  static read<V>(values: ValueCodec<V>, bytes: Buffer): BufferedRecord {
    const reader = new Reader(bytes);
    const timestamp = reader.int64();
    const offset = reader.int64();
    const topic = reader.text() || undefined;
    const partition = reader.int32();
    const headers = readHeaders(reader);
    const prior = reader.value(values, undefined);
    const old = reader.value(values, prior);
    const value = reader.value(values, undefined);
    return new BufferedRecord(prior, old, value, { topic, partition, offset, timestamp, headers });
  }
}

/** The time for which a written record waits. */
export function bufferTimeOf(bytes: Buffer): number {
  if (bytes.length < 8) throw corrupt();
  return readInt64(bytes, bytes.length - 8);
}

type RecordOrigin = Pick<RecordContext, 'topic' | 'partition' | 'offset' | 'timestamp' | 'headers'>;

function writeText(text: string, target: ByteBuffer): void {
  const lengthAt = target.length;
  target.writeInt32(0);
  target.writeUtf8(text);
  target.bytes.writeInt32BE(target.length - lengthAt - 4, lengthAt);
}

function writeValue<V>(held: HeldValue | undefined, values: ValueCodec<V>, target: ByteBuffer): void {
  const lengthAt = target.length;
  target.writeInt32(ABSENT);
  if (held === undefined) return;
  values.write(held, target);
  target.bytes.writeInt32BE(target.length - lengthAt - 4, lengthAt);
}

function readHeaders(reader: Reader): Headers {
  const count = reader.int32();
  if (count <= 0) return NO_HEADERS;
  const headers: Header[] = [];
  for (let i = 0; i < count; i++) headers.push({ key: reader.text(), value: reader.bytes() });
  return headers;
}

function corrupt(): CorruptDataError {
  return new CorruptDataError('BUFFERED_RECORD_INVALID', 'a buffered record ends too early; the state must be restored', {});
}

/** Reads front to back; every length is checked before anything is taken by it. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int64(): number {
    return readInt64(this.#bytes, this.#take(8));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  text(): string {
    const length = this.int32();
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  bytes(): Uint8Array | undefined {
    const length = this.int32();
    if (length < 0) return undefined;
    const start = this.#take(length);
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }

  /** @param prior what an old value is that has been written as the same as the prior one */
  value<V>(values: ValueCodec<V>, prior: HeldValue | undefined): HeldValue | undefined {
    const length = this.int32();
    if (length === SAME_AS_PRIOR) return prior;
    if (length < 0) return undefined;
    const start = this.#take(length);
    return values.holdAt(this.#bytes, start, start + length);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count < 0 || at + count > this.#bytes.length) throw corrupt();
    this.#at = at + count;
    return at;
  }
}
