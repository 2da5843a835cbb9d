import { CorruptDataError } from '@millrace/core';

/** How the records of a batch are compressed; the names are those of Kafka's `compression.type`. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** In the order of the ids that batch attributes carry. */
const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** The number that stands for a compression in the attributes of a batch. */
export function compressionId(compression: Compression): number {
  return COMPRESSIONS.indexOf(compression);
}

/** @throws CorruptDataError when no compression has that number */
export function compressionOfId(id: number): Compression {
  const compression = COMPRESSIONS[id];
  if (compression === undefined)
    throw new CorruptDataError('UNKNOWN_COMPRESSION', `compression ${id} is not known; Kafka defines 0 to 4`);
  return compression;
}
