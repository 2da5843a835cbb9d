import type { ProtocolWriter } from '@millrace/wire';
import type { OutgoingBatch } from './outgoing-batch.ts';
import type { PartitionQueue } from './partition-queue.ts';

/** A batch in a request, and where its answer goes. */
export interface SentBatch {
  readonly queue: PartitionQueue;
  readonly batch: OutgoingBatch;
  /** The whole record batch. */
  readonly bytes: Buffer;
}

export interface ProduceFields {
  readonly transactionalId: string | undefined;
  readonly acks: number;
  /** How long the leader waits for its followers. */
  readonly timeoutMs: number;
}

/** Around names and counts: generous, so that the writer never has to grow. */
const OVERHEAD_BYTES = 64;

/**
 * Writes the body of a Produce request in versions 9 to 12, whose bytes are the same. By hand, because it is the one request
 * that carries everything the application produces: each batch is copied once, straight to its place.
 *
 * Two batches of one partition in a request would be refused with INVALID_RECORD (wire-facts §2).
 */
export function writeProduceRequest(writer: ProtocolWriter, fields: ProduceFields, batches: readonly SentBatch[]): Buffer {
  const topics = byTopic(batches);
  writer.clear();
  makeRoom(writer, batches);
  writer.string(fields.transactionalId, true);
  writer.int16(fields.acks);
  writer.int32(fields.timeoutMs);
  writer.arrayLength(topics.size, true);
  for (const [topic, sent] of topics) {
    writer.string(topic, true);
    writer.arrayLength(sent.length, true);
    for (const { queue, bytes } of sent) {
      writer.int32(queue.partition);
      writer.bytes(bytes, true);
      writer.uvarint(0);
    }
    writer.uvarint(0);
  }
  writer.uvarint(0);
  return writer.view();
}

function byTopic(batches: readonly SentBatch[]): Map<string, SentBatch[]> {
  const topics = new Map<string, SentBatch[]>();
  for (const sent of batches) {
    const same = topics.get(sent.queue.topic);
    if (same === undefined) topics.set(sent.queue.topic, [sent]);
    else same.push(sent);
  }
  return topics;
}

/** Grows the writer once, and not step by step while batches are copied into it. */
function makeRoom(writer: ProtocolWriter, batches: readonly SentBatch[]): void {
  let bytesMax = 4 * OVERHEAD_BYTES;
  for (const { queue, bytes } of batches) bytesMax += bytes.length + queue.topic.length * 3 + OVERHEAD_BYTES;
  writer.reserve(bytesMax);
  writer.clear();
}
