import { ProtocolReader, ProtocolWriter } from '@millrace/wire';

/**
 * The records of `__consumer_offsets`, in the form that Kafka gives them, so that its tools read them: the first two bytes of
 * key and value are their versions. Members are not kept: after a restart they join again.
 *
 * Source: Kafka `OffsetCommitKey` 1, `OffsetCommitValue` 3, `GroupMetadataKey` 2, `GroupMetadataValue` 3.
 */
const OFFSET_KEY_VERSION = 1;
const OFFSET_VALUE_VERSION = 3;
const GROUP_KEY_VERSION = 2;
const GROUP_VALUE_VERSION = 3;

/** Whose offset: a partition of a topic, for a group. */
export interface OffsetKey {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
}

/** Where a group goes on. */
export interface OffsetValue {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly committedMs: number;
}

export type GroupRecordKey = ({ readonly kind: 'offset' } & OffsetKey) | { readonly kind: 'group'; readonly groupId: string };

export function encodeOffsetKey({ groupId, topic, partition }: OffsetKey): Buffer {
  const writer = new ProtocolWriter(64);
  writer.int16(OFFSET_KEY_VERSION);
  writer.string(groupId, false);
  writer.string(topic, false);
  writer.int32(partition);
  return writer.take();
}

export function encodeOffsetValue({ offset, leaderEpoch, metadata, committedMs }: OffsetValue): Buffer {
  const writer = new ProtocolWriter(64);
  writer.int16(OFFSET_VALUE_VERSION);
  writer.int64(offset);
  writer.int32(leaderEpoch);
  writer.string(metadata, false);
  writer.int64(committedMs);
  return writer.take();
}

export function encodeGroupKey(groupId: string): Buffer {
  const writer = new ProtocolWriter(64);
  writer.int16(GROUP_KEY_VERSION);
  writer.string(groupId, false);
  return writer.take();
}

/** A group without members: all that outlives the broker is the generation, which must never go back. */
export function encodeGroupValue(protocolType: string, generationId: number, nowMs: number): Buffer {
  const writer = new ProtocolWriter(64);
  writer.int16(GROUP_VALUE_VERSION);
  writer.string(protocolType, false);
  writer.int32(generationId);
  writer.string(undefined, false);
  writer.string(undefined, false);
  writer.int64(nowMs);
  writer.arrayLength(0, false);
  return writer.take();
}

/** `undefined` for a key of a kind that we do not write. */
export function decodeKey(key: Buffer): GroupRecordKey | undefined {
  const reader = new ProtocolReader(key);
  const version = reader.int16();
  const groupId = readText(reader);
  if (version === GROUP_KEY_VERSION) return { kind: 'group', groupId };
  if (version > OFFSET_KEY_VERSION) return undefined;
  return { kind: 'offset', groupId, topic: readText(reader), partition: reader.int32() };
}

export function decodeOffsetValue(value: Buffer): OffsetValue {
  const reader = new ProtocolReader(value);
  reader.int16();
  return { offset: reader.int64(), leaderEpoch: reader.int32(), metadata: readText(reader), committedMs: reader.int64() };
}

export function decodeGroupValue(value: Buffer): { readonly protocolType: string; readonly generationId: number } {
  const reader = new ProtocolReader(value);
  reader.int16();
  return { protocolType: readText(reader), generationId: reader.int32() };
}

function readText(reader: ProtocolReader): string {
  return reader.utf8(Math.max(0, reader.stringLength(false)));
}
