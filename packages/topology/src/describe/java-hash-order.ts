/**
 * Names in the order in which a Java `HashSet` of them iterates, for bringing nodes into the order of Kafka's text.
 *
 * @param names in the order of insertion, without repetition
 */
export function javaHashOrder(names: readonly string[]): string[] {
  const size = tableSize(names.length);
  const buckets: string[][] = Array.from({ length: size }, () => []);
  for (const name of names) {
    const hash = javaStringHash(name);
    // Java spreads the high bits down; a table is indexed by the low ones.
    buckets[(hash ^ (hash >>> 16)) & (size - 1)]?.push(name);
  }
  return buckets.flat();
}

/** `String.hashCode`. */
function javaStringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** A table begins with 16 places and doubles when it is more than three quarters full. */
function tableSize(count: number): number {
  let size = 16;
  while (count > size * 0.75) size *= 2;
  return size;
}
