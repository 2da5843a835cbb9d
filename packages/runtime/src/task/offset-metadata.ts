const MAGIC = 2;
const BYTES = 9;

/**
 * The partition time as text for the metadata of a committed offset, so that stream time survives a restart.
 * Base64 of `[2][partition time, int64]`.
 *
 * Source: Kafka Streams `TopicPartitionMetadata.encode`.
 */
export function encodeOffsetMetadata(partitionTime: number): string {
  const bytes = Buffer.allocUnsafe(BYTES);
  bytes[0] = MAGIC;
  bytes.writeInt32BE(Math.floor(partitionTime / 0x1_0000_0000), 1);
  bytes.writeUInt32BE(partitionTime >>> 0, 5);
  return bytes.toString('base64');
}

/**
 * Reads what {@link encodeOffsetMetadata} or Kafka Streams (versions 1 and 2) wrote.
 *
 * @returns −1 when the text is empty or something else: the partition time is then unknown, as Kafka Streams treats it
 */
export function decodeOffsetMetadata(metadata: string): number {
  const bytes = Buffer.from(metadata.slice(0, 64), 'base64');
  if (bytes.length < BYTES || (bytes[0] !== 1 && bytes[0] !== MAGIC)) return -1;
  const partitionTime = bytes.readInt32BE(1) * 0x1_0000_0000 + bytes.readUInt32BE(5);
  return Number.isSafeInteger(partitionTime) && partitionTime >= 0 ? partitionTime : -1;
}
