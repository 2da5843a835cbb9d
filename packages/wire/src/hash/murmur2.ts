const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/**
 * The 32-bit murmur2 hash of `bytes[start, end)` as a signed number, with the seed that Kafka's producers use.
 *
 * Source: Kafka `Utils.murmur2`.
 */
export function murmur2(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = SEED ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    let word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    word = Math.imul(word, MULTIPLIER);
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  return finish(mixTail(hash, bytes, at, end));
}

function mixTail(hash: number, bytes: Uint8Array, at: number, end: number): number {
  const rest = end - at;
  if (rest === 0) return hash;
  let mixed = hash ^ (bytes[at] as number);
  if (rest > 1) mixed ^= (bytes[at + 1] as number) << 8;
  if (rest > 2) mixed ^= (bytes[at + 2] as number) << 16;
  return Math.imul(mixed, MULTIPLIER);
}

function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return mixed ^ (mixed >>> 15);
}

/**
 * The partition that Kafka's default partitioner chooses for a serialised key.
 *
 * @param partitions number of partitions of the topic, ≥ 1
 * Source: Kafka `BuiltInPartitioner.partitionForKey`.
 */
export function partitionForKey(bytes: Uint8Array, start: number, end: number, partitions: number): number {
  return partitionForHash(murmur2(bytes, start, end), partitions);
}

/** The partition for the {@link murmur2} of a serialised key, as {@link partitionForKey}. */
export function partitionForHash(hash: number, partitions: number): number {
  return (hash & 0x7fffffff) % partitions;
}
