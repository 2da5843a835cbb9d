import {
  encodeControlBatch,
  patchBaseOffset,
  RecordBatchBuilder,
  type Compression,
  type FetchRequest,
  type fetch,
  type ResponseInput,
} from '@millrace/wire';

/** One partition of a fetch answer, with what matters to the test. */
export interface PartitionAnswer {
  readonly topic?: string;
  readonly partition: number;
  readonly errorCode?: number;
  readonly records?: Buffer;
  readonly highWatermark?: number;
  readonly abortedTransactions?: readonly { readonly producerId: number; readonly firstOffset: number }[];
}

export interface BatchOptions {
  readonly producerId?: number;
  readonly transactional?: boolean;
  readonly compression?: Compression;
}

/** A batch at an offset, one record per value. */
export function batchAt(baseOffset: number, values: readonly string[], options: BatchOptions = {}): Buffer {
  const builder = new RecordBatchBuilder();
  for (const value of values) builder.appendRecord({ timestamp: 0, value: Buffer.from(value) });
  const bytes = Buffer.from(builder.finish({ producerEpoch: 0, baseSequence: 0, ...options }));
  patchBaseOffset(bytes, 0, baseOffset, 0);
  return bytes;
}

/** A commit or abort marker at an offset. */
export function markerAt(baseOffset: number, producerId: number, marker: 'commit' | 'abort'): Buffer {
  const bytes = Buffer.from(encodeControlBatch({ marker, producerId, producerEpoch: 0, timestamp: 0, coordinatorEpoch: 0 }));
  patchBaseOffset(bytes, 0, baseOffset, 0);
  return bytes;
}

export function fetchAnswer(...partitions: readonly PartitionAnswer[]): ResponseInput<typeof fetch> {
  return {
    responses: partitions.map((one) => ({
      topic: one.topic ?? 'orders',
      partitions: [
        {
          partitionIndex: one.partition,
          errorCode: one.errorCode ?? 0,
          highWatermark: one.highWatermark ?? 100,
          lastStableOffset: one.highWatermark ?? 100,
          logStartOffset: 0,
          abortedTransactions: one.abortedTransactions,
          records: one.records,
        },
      ],
    })),
  };
}

/** Partition and fetch offset of all that was asked for. */
export function askedFor(request: FetchRequest): { partition: number; fetchOffset: number }[] {
  return request.topics.flatMap(({ partitions }) => partitions.map(({ partition, fetchOffset }) => ({ partition, fetchOffset })));
}
