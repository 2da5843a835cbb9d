/** Up to which close time each store has emitted the results of its windows, by the store's name. */
export type EmittedTimes = ReadonlyMap<string, number>;

const MAGIC = 2;
const BYTES = 9;
/** Behind everything that Kafka Streams writes: the id of the topic to which the offset belongs. */
const TOPIC_ID = 1;
const TOPIC_ID_BYTES = 17;
/** How a topic id looks as text. */
const NOTHING = Buffer.alloc(0);
const TOPIC_ID_MARK = Buffer.of(TOPIC_ID);
const UUID = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;
/** Brokers take 4096 bytes unless told otherwise. */
const TEXT_LENGTH_MAX = 64 * 1024;

/**
 * What must come back with a committed offset, as text for its metadata: the partition time, so that stream time survives a
 * restart, and the times up to which windows have been emitted, so that whoever takes over emits none again.
 * Base64 of `[2][partition time, int64]` and, if there are any, `[count, int32]` and per store `[length, int32][name][time, int64]`;
 * behind the stores, if it is known, `[1][topic id, 16 bytes]`: readers of the former parts, Kafka Streams too, leave it out.
 *
 * @param topicId of the topic to which the offset belongs, as text of 36 characters
 * Source: Kafka Streams `TopicPartitionMetadata.encode`, `ProcessorMetadata.serialize`.
 */
export function encodeOffsetMetadata(partitionTime: number, emitted: EmittedTimes = new Map(), topicId?: string): string {
  const head = Buffer.allocUnsafe(BYTES);
  head[0] = MAGIC;
  writeInt64(head, partitionTime, 1);
  if (emitted.size === 0 && topicId === undefined) return head.toString('base64');
  const count = Buffer.allocUnsafe(4);
  count.writeInt32BE(emitted.size);
  return Buffer.concat([head, count, ...Array.from(emitted, encodeEmittedTime), encodeTopicId(topicId)]).toString('base64');
}

function encodeTopicId(topicId: string | undefined): Buffer {
  return topicId === undefined ? NOTHING : Buffer.concat([TOPIC_ID_MARK, Buffer.from(topicId.replaceAll('-', ''), 'hex')]);
}

function encodeEmittedTime([store, time]: readonly [string, number]): Buffer {
  const name = Buffer.from(store);
  const bytes = Buffer.allocUnsafe(4 + name.length + 8);
  bytes.writeInt32BE(name.length);
  name.copy(bytes, 4);
  writeInt64(bytes, time, 4 + name.length);
  return bytes;
}

/**
 * Reads what {@link encodeOffsetMetadata} or Kafka Streams (versions 1 and 2) wrote.
 *
 * @returns −1 when the text is empty or something else: the partition time is then unknown, as Kafka Streams treats it
 */
export function decodeOffsetMetadata(metadata: string): number {
  const bytes = decoded(metadata);
  return bytes === undefined ? -1 : readTime(bytes, 1);
}

/** Reads the other part; empty when there is none, or when it is not what it should be. */
export function decodeEmittedTimes(metadata: string): EmittedTimes {
  const emitted = new Map<string, number>();
  const bytes = decoded(metadata);
  if (bytes === undefined) return emitted;
  const end = walkEmittedTimes(bytes, (name, time) => emitted.set(name, time));
  return end < 0 ? new Map() : emitted;
}

/** Reads the id of the topic to which the offset belongs; `undefined` when whoever committed it did not say. */
export function decodeTopicId(metadata: string): string | undefined {
  const bytes = decoded(metadata);
  const at = bytes === undefined ? -1 : walkEmittedTimes(bytes, () => undefined);
  if (bytes === undefined || at < 0 || bytes.length - at < TOPIC_ID_BYTES || bytes[at] !== TOPIC_ID) return undefined;
  return bytes.toString('hex', at + 1, at + TOPIC_ID_BYTES).replace(UUID, '$1-$2-$3-$4-$5');
}

/** Returns where the times end; −1 when they are not what they should be. */
function walkEmittedTimes(bytes: Buffer, onTime: (store: string, time: number) => void): number {
  if (bytes.length < BYTES + 4) return -1;
  let at = BYTES + 4;
  for (let left = bytes.readInt32BE(BYTES); left > 0; left--) {
    const nameEnd = at + 4 <= bytes.length ? at + 4 + bytes.readInt32BE(at) : -1;
    if (nameEnd < at + 4 || nameEnd + 8 > bytes.length) return -1;
    const time = readTime(bytes, nameEnd);
    if (time >= 0) onTime(bytes.toString('utf8', at + 4, nameEnd), time);
    at = nameEnd + 8;
  }
  return at;
}

function decoded(metadata: string): Buffer | undefined {
  const bytes = Buffer.from(metadata.slice(0, TEXT_LENGTH_MAX), 'base64');
  return bytes.length < BYTES || (bytes[0] !== 1 && bytes[0] !== MAGIC) ? undefined : bytes;
}

function readTime(bytes: Buffer, at: number): number {
  const time = bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
  return Number.isSafeInteger(time) && time >= 0 ? time : -1;
}

function writeInt64(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}
