import { ByteBuffer, type Serde, writeWith } from '@millrace/core';
import type { WindowedKey } from '@millrace/state';
import type { StreamPartitioner } from '@millrace/topology';
import { partitionForKey } from '@millrace/wire';

/**
 * Sends the windows of a key to the partition to which the key itself would go, so that a topic of windowed results is
 * partitioned like its input. What a sink with windowed keys uses unless the user gives another partitioner.
 *
 * @param inner serde of the key in the window
 * Source: Kafka Streams `WindowedStreamPartitioner`.
 */
export function windowedPartitioner<K>(inner: Serde<K>): StreamPartitioner<WindowedKey<K>, unknown> {
  const scratch = new ByteBuffer(256);
  return (topic, key, _value, partitions) => {
    // Records without key have no window either: any partition will do.
    if (key == null) return undefined;
    scratch.clear();
    writeWith(inner, key.key, scratch, topic);
    return partitionForKey(scratch.bytes, 0, scratch.length, partitions);
  };
}
